//! Bounds, order, and that nobody is left without an answer.

use domain::SightingId;

use super::*;

const BOUNDS: Bounds = Bounds { requests: 3, bytes: 10_000, transaction_rows: 4, transaction_bytes: 8_000 };

fn batch(rows: usize, row_bytes: usize) -> Batch {
    let mut batch = Batch::default();
    for row in 0..rows {
        let encode = |out: &mut Vec<u8>| {
            out.resize(out.len() + row_bytes, b'x');
            SightingId::from_bytes([row as u8; 16])
        };
        batch.push(encode, |_, _| Ok::<_, ()>(())).unwrap();
    }
    batch
}

fn queue() -> Queue {
    let queue = Queue::new(BOUNDS);
    queue.log_is_there();
    queue
}

/// What goes into the next transaction; nothing where the queue is over.
fn next(queue: &Queue) -> Vec<Waiting> {
    match queue.next(Duration::ZERO) {
        Next::Requests(requests) => requests,
        Next::Over => Vec::new(),
        Next::Idle => panic!("nothing waits"),
    }
}

fn answered(outcome: &mut oneshot::Receiver<Outcome>) -> Option<Outcome> {
    outcome.try_recv().ok()
}

#[test]
fn requests_and_bytes_are_bounded_until_they_are_answered() {
    let queue = queue();
    let mut outcomes: Vec<_> = (0..3).map(|_| queue.push(batch(1, 10)).unwrap()).collect();
    assert_eq!(queue.push(batch(1, 10)).err(), Some(Refused::Full));
    let requests = next(&queue);
    assert_eq!(requests.len(), 3);
    assert_eq!(queue.check(), Err(Refused::Full), "under way is not answered");
    queue.answer(requests, Outcome::Committed);
    assert!(outcomes.iter_mut().all(|outcome| answered(outcome) == Some(Outcome::Committed)));
    assert_eq!(queue.depth(), (0, 0));
    let _first = queue.push(batch(1, 6_000)).unwrap();
    assert_eq!(queue.push(batch(1, 6_000)).err(), Some(Refused::Full));
    drop(next(&queue));
}

#[test]
fn a_request_over_the_bounds_is_taken_by_itself() {
    let queue = queue();
    let _outcome = queue.push(batch(9, 5_000)).unwrap();
    assert_eq!(next(&queue).len(), 1);
}

#[test]
fn a_transaction_is_bounded_and_holds_whole_requests_in_their_order() {
    let queue = queue();
    let _outcomes = [2, 2, 1].map(|rows| queue.push(batch(rows, 10)).unwrap());
    let sizes = |requests: Vec<Waiting>| requests.iter().map(|one| one.batch.len()).collect::<Vec<_>>();
    assert_eq!(sizes(next(&queue)), [2, 2]);
    assert_eq!(sizes(next(&queue)), [1]);
}

#[test]
fn while_the_log_is_away_nothing_is_taken_and_nothing_waits() {
    let queue = queue();
    let mut under_way = queue.push(batch(4, 10)).unwrap();
    let requests = next(&queue);
    let mut waiting = queue.push(batch(1, 10)).unwrap();
    queue.log_is_away();
    assert_eq!(queue.push(batch(1, 10)).err(), Some(Refused::Away));
    assert_eq!(answered(&mut waiting), Some(Outcome::NotSent));
    assert_eq!(answered(&mut under_way), None);
    queue.log_is_there();
    queue.answer(requests, Outcome::NotKnown);
    assert_eq!(answered(&mut under_way), Some(Outcome::NotKnown));
    assert_eq!((queue.check(), queue.depth()), (Ok(()), (0, 0)));
}

#[test]
fn a_closed_queue_is_emptied_and_an_abandoned_one_is_empty() {
    let closed = queue();
    let _outcome = closed.push(batch(1, 10)).unwrap();
    closed.close();
    assert_eq!(closed.push(batch(1, 10)).err(), Some(Refused::Closed));
    assert_eq!((next(&closed).len(), next(&closed).len()), (1, 0));
    let abandoned = queue();
    let mut outcome = abandoned.push(batch(1, 10)).unwrap();
    abandoned.abandon();
    assert_eq!((answered(&mut outcome), next(&abandoned).len()), (Some(Outcome::NotSent), 0));
}
