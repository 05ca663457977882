//! What a second run on an input does.

use super::bad_input::refused;
use super::*;

#[test]
fn a_file_that_grew_goes_on_and_one_that_was_moved_or_zipped_is_the_same() {
    let folder = TempDir::new().unwrap();
    let mut rows = opened(&written(&folder, "a.csv", file_of(3).as_bytes()));
    assert_eq!(rest(&mut rows).len(), 3);
    let known = rows.position();
    let grown = file_of(5);
    for content in [grown.as_bytes(), &gzipped(grown.as_bytes())] {
        let (mut rows, begun) = opened(&written(&folder, "b", content)).behind(Some(&known)).unwrap();
        assert_eq!(begun, Beginning::From { row: 3, byte: file_of(3).len() as u64 });
        assert_eq!(rest(&mut rows).len(), 2);
        assert_eq!(rows.position().earlier, std::slice::from_ref(&known.place));
    }
}

/// What a run on the file hands out, and what is known afterwards.
fn run(file: &Path, known: &mut Option<FilePosition>) -> (Beginning, usize) {
    let (mut rows, begun) = opened(file).behind(known.as_ref()).unwrap();
    let sent = rest(&mut rows).len();
    if sent > 0 {
        *known = Some(rows.position());
    }
    (begun, sent)
}

#[test]
fn files_that_begin_alike_are_each_sent_once() {
    let folder = TempDir::new().unwrap();
    let sample = written(&folder, "sample.csv", file_of(10).as_bytes());
    let full = written(&folder, "full.csv", file_of(1000).as_bytes());
    let other = written(&folder, "other.csv", file_of(1000).replace("hovered 7,", "floated 7,").as_bytes());
    let mut known = None;
    assert_eq!(run(&sample, &mut known), (Beginning::Start, 10));
    assert_eq!(run(&full, &mut known).1, 990, "the sample is its beginning");
    assert_eq!(run(&other, &mut known), (Beginning::Changed { row: 1000, why: Change::Edited }, 1000));
    let longer = written(&folder, "longer.csv", file_of(20).as_bytes());
    assert_eq!(run(&longer, &mut known.clone()).1, 10, "not its end, but the sample's is known");
    for file in [&sample, &full, &other, &full, &sample] {
        let rows = if *file == sample { 10 } else { 1000 };
        let (begun, sent) = run(file, &mut known);
        assert!(matches!(begun, Beginning::From { row, .. } if row == rows), "{begun:?}");
        assert_eq!(sent, 0, "{}", file.display());
    }
}

#[test]
fn an_edited_file_is_noticed_wherever_it_was_edited() {
    let folder = TempDir::new().unwrap();
    let content = file_of(2000);
    let mut known = None;
    run(&written(&folder, "a.csv", content.as_bytes()), &mut known);
    let edited = written(&folder, "a.csv", content.replace("hovered 5,", "hovered 6,").as_bytes());
    assert_eq!(
        run(&edited, &mut known.clone()),
        (Beginning::Changed { row: 2000, why: Change::Edited }, 2000)
    );
    let shorter = written(&folder, "a.csv", file_of(1999).as_bytes());
    assert_eq!(run(&shorter, &mut known), (Beginning::Changed { row: 2000, why: Change::Shorter }, 1999));
}

#[test]
fn a_last_row_that_was_being_written_is_noticed_when_it_goes_on() {
    let folder = TempDir::new().unwrap();
    let whole = file_of(3);
    let mut known = None;
    let half = &whole[..whole.len() - 10];
    assert_eq!(run(&written(&folder, "a.csv", half.as_bytes()), &mut known), (Beginning::Start, 3));
    let same = run(&written(&folder, "a.csv", half.as_bytes()), &mut known.clone());
    assert_eq!(same, (Beginning::From { row: 3, byte: half.len() as u64 }, 0));
    let grown = run(&written(&folder, "a.csv", whole.as_bytes()), &mut known.clone());
    assert_eq!(grown, (Beginning::Changed { row: 3, why: Change::LastRowGrew }, 3));
    let ended = run(&written(&folder, "a.csv", format!("{half}\r\n{}", row(3)).as_bytes()), &mut known);
    assert_eq!(ended, (Beginning::From { row: 3, byte: half.len() as u64 }, 1));
}

#[test]
fn a_stream_that_changed_is_an_error_since_its_start_is_gone() {
    let mut first = stream(file_of(3).as_bytes(), 100, None).unwrap();
    rest(&mut first);
    let known = first.position();
    let changed = stream(file_of(3).replace("hovered 2", "floated 2").as_bytes(), 100, None).unwrap();
    let (code, text) = refused(changed.behind(Some(&known)).map(|(rows, _)| rows));
    assert_eq!(code, Code::BadData);
    assert!(
        text.contains("a stream differs from what was sent of it") && text.contains("as a file"),
        "{text}"
    );
}
