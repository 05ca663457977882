//! Consumer groups inside one process: members share the partitions of a topic.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use engine::log::LogError;

use crate::fenced;
use crate::store::GroupOffset;

/// A member of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Member(u64);

/// What a member is to do about its partitions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    None,
    GiveBack(Vec<u32>),
    Take(Vec<u32>),
}

#[derive(Default)]
pub(crate) struct Groups {
    groups: HashMap<(String, String), Membership>,
    next_member: u64,
}

#[derive(Default)]
struct Membership {
    members: BTreeSet<Member>,
    /// Who holds a partition: it is not taken before it was given back.
    holders: BTreeMap<u32, Member>,
}

impl Groups {
    pub(crate) fn join(&mut self, group: &str, topic: &str) -> Member {
        self.next_member += 1;
        let member = Member(self.next_member);
        self.membership(group, topic).members.insert(member);
        member
    }

    pub(crate) fn leave(&mut self, group: &str, topic: &str, member: Member) {
        let membership = self.membership(group, topic);
        membership.members.remove(&member);
        membership.holders.retain(|_, holder| *holder != member);
    }

    /// What the member has to give back first, or may take.
    pub(crate) fn change(&mut self, group: &str, topic: &str, member: Member, partitions: u32) -> Change {
        let membership = self.membership(group, topic);
        let members: Vec<_> = membership.members.iter().copied().collect();
        let is_ours = |partition: u32| members[partition as usize % members.len()] == member;
        let holder = |partition: &u32| membership.holders.get(partition).copied();
        let to_give: Vec<_> = (0..partitions).filter(|p| holder(p) == Some(member) && !is_ours(*p)).collect();
        if !to_give.is_empty() {
            return Change::GiveBack(to_give);
        }
        let to_take: Vec<_> = (0..partitions).filter(|p| is_ours(*p) && holder(p).is_none()).collect();
        if to_take.is_empty() {
            return Change::None;
        }
        for partition in &to_take {
            membership.holders.insert(*partition, member);
        }
        Change::Take(to_take)
    }

    pub(crate) fn give_back(&mut self, group: &str, topic: &str, member: Member, partitions: &[u32]) {
        let holders = &mut self.membership(group, topic).holders;
        holders.retain(|partition, holder| !(*holder == member && partitions.contains(partition)));
    }

    /// The offsets, if each of them is of a partition that its member holds: nobody else may move a group.
    pub(crate) fn held(&self, offsets: Vec<(GroupOffset, Member)>) -> Result<Vec<GroupOffset>, LogError> {
        let held = |(offset, member): (GroupOffset, Member)| {
            let membership = self.groups.get(&(offset.group.clone(), offset.topic.clone()));
            match membership.and_then(|membership| membership.holders.get(&offset.partition)) {
                Some(holder) if *holder == member => Ok(offset),
                _ => Err(fenced("this member of the group does not hold the partition (any more)")),
            }
        };
        offsets.into_iter().map(held).collect()
    }

    fn membership(&mut self, group: &str, topic: &str) -> &mut Membership {
        self.groups.entry((group.to_owned(), topic.to_owned())).or_default()
    }
}

#[cfg(test)]
mod tests {
    use engine::log::Failure;

    use super::*;
    use crate::store::{KeptAs, TopicInfo};

    fn offset(partition: u32) -> GroupOffset {
        let info = TopicInfo { id: 0, partitions: 3, kept: KeptAs::Forever };
        GroupOffset { group: "g".into(), topic: "t".into(), info, partition, next: 1 }
    }

    #[test]
    fn a_partition_is_taken_only_after_it_was_given_back() {
        let mut groups = Groups::default();
        let one = groups.join("g", "t");
        assert_eq!(groups.change("g", "t", one, 3), Change::Take(vec![0, 1, 2]));
        let two = groups.join("g", "t");
        assert_eq!(groups.change("g", "t", two, 3), Change::None);
        assert_eq!(groups.change("g", "t", one, 3), Change::GiveBack(vec![1]));
        groups.give_back("g", "t", one, &[1]);
        let stale = groups.held(vec![(offset(0), one), (offset(1), one)]).expect_err("given back");
        assert_eq!(stale.failure, Failure::Fenced);
        assert_eq!(groups.held(vec![(offset(0), one)]).expect("held").len(), 1);
        assert_eq!(groups.change("g", "t", two, 3), Change::Take(vec![1]));
        groups.leave("g", "t", one);
        assert_eq!(groups.change("g", "t", two, 3), Change::Take(vec![0, 2]));
    }
}
