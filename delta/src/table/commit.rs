//! Commits: files first, then the version, again and again until it is in or refused.

use uuid::Uuid;

use super::create::info;
use super::{Freshness, Outcome, Table};
use crate::action::{self, Action};
use crate::commit::{Commit, CommitDecision, Facts, Refusal, actions, resolve};
use crate::error::DeltaError;
use crate::log::PutError;
use crate::snapshot::Snapshot;

/// Races lost in a row. With writers that commit every few seconds even two are rare.
const TRIES_MAX: usize = 1_000;
/// Requests without an answer in a row. The store's client has tried each of them several times already.
const DOUBTS_MAX: usize = 3;

/// What a writer does next, given the table as it is now.
pub(super) enum Next<S> {
    Write { version: u64, actions: Vec<Action> },
    Stop(S),
}

/// What has become of it.
pub(super) enum Landed<S> {
    Written { version: u64 },
    Stopped(S),
}

/// What a commit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Write,
    /// The same rows in other files.
    Compact,
}

impl Table {
    /// Writes the files that are not there yet, then the commit. A file whose commit is refused, or whose outcome is
    /// not known, stays behind for [`vacuum`](Self::vacuum): it may be that only the answer was lost.
    pub async fn commit(&mut self, commit: &Commit, now_ms: i64) -> Result<Outcome, DeltaError> {
        self.commit_for(Purpose::Write, commit, now_ms).await
    }

    pub(crate) async fn commit_for(
        &mut self,
        purpose: Purpose,
        commit: &Commit,
        now_ms: i64,
    ) -> Result<Outcome, DeltaError> {
        self.check_writable()?;
        if let Some(what) = commit.contradiction() {
            return Err(DeltaError::Unsupported { table: self.name(), what });
        }
        // Before anything goes up: most zombies are found out here.
        if let Some(refusal) = self.refusal(purpose, commit).await? {
            return Ok(Outcome::Refused(refusal));
        }
        self.upload_all(&commit.adds).await?;
        let id = Uuid::new_v4().to_string();
        let changes_data = purpose == Purpose::Write;
        let landed = self
            .land(&id, |snapshot, found_at| {
                Ok(match resolve(Facts { snapshot, found_at, changes_data }, commit) {
                    CommitDecision::Write { version } => {
                        let mut info = info(purpose.operation(), &id, snapshot.version, now_ms);
                        info.is_blind_append = Some(commit.removes.is_empty());
                        if changes_data {
                            info.operation_parameters.insert("mode".into(), mode(commit).into());
                        }
                        Next::Write { version, actions: actions(commit, info, changes_data, snapshot) }
                    }
                    CommitDecision::Committed { version } => Next::Stop(Outcome::Committed { version }),
                    CommitDecision::Refuse(refusal) => Next::Stop(Outcome::Refused(refusal)),
                })
            })
            .await?;
        let outcome = match landed {
            Landed::Written { version } => Outcome::Committed { version },
            Landed::Stopped(outcome) => outcome,
        };
        if matches!(outcome, Outcome::Committed { version } if version == self.snapshot.version)
            && self.is_checkpoint_due()
        {
            self.snapshot.forget_old_tombstones(now_ms);
            // The commit is in. Without its checkpoint readers replay a little more, until the next one.
            if let Err(error) = self.checkpoint(now_ms).await {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(table = %self.log.root, error, "the checkpoint was not written");
            }
        }
        Ok(outcome)
    }

    /// A refusal that needs no try.
    async fn refusal(&mut self, purpose: Purpose, commit: &Commit) -> Result<Option<Refusal>, DeltaError> {
        for is_fresh in [false, true] {
            let changes_data = purpose == Purpose::Write;
            let facts = Facts { snapshot: &self.snapshot, found_at: None, changes_data };
            match resolve(facts, commit) {
                CommitDecision::Refuse(refusal) if is_fresh => return Ok(Some(refusal)),
                CommitDecision::Refuse(_) => self.refresh().await?,
                CommitDecision::Write { .. } | CommitDecision::Committed { .. } => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Puts what `next` says into the log as the next version, until it is there or `next` stops. `id` is in its
    /// commit info, and in no other commit.
    pub(super) async fn land<S>(
        &mut self,
        id: &str,
        mut next: impl FnMut(&Snapshot, Option<u64>) -> Result<Next<S>, DeltaError>,
    ) -> Result<Landed<S>, DeltaError> {
        let (mut found_at, mut is_fresh, mut doubts) = (None, false, 0);
        for _ in 0..TRIES_MAX {
            let (version, actions) = match next(&self.snapshot, found_at)? {
                Next::Write { version, actions } => (version, actions),
                Next::Stop(outcome) if is_fresh => return Ok(Landed::Stopped(outcome)),
                // An answer that ends the matter must rest on the table as it is now.
                Next::Stop(_) => {
                    self.catch_up(Some(id), &mut found_at).await?;
                    is_fresh = true;
                    continue;
                }
            };
            let in_doubt = |table: &Self, source: DeltaError| {
                Err(DeltaError::InDoubt { table: table.name(), version, source: Box::new(source) })
            };
            // Others are past this version, and its name may be free again.
            if self.is_cleaned_up_behind(version - 1).await? {
                let freshness = self.catch_up(Some(id), &mut found_at).await?;
                self.check_writable()?;
                if doubts > 0 && freshness != Freshness::Advanced {
                    return in_doubt(
                        self,
                        DeltaError::damaged(&self.log.root, "the log was cleaned up since"),
                    );
                }
                (is_fresh, doubts) = (true, 0);
                continue;
            }
            let (is_taken, source) = match self.log.put_commit(version, action::encode(&actions).into()).await
            {
                Ok(()) => return self.landed(version, actions).await,
                Err(PutError::Refused(source)) => {
                    return Err(DeltaError::store("write a commit of", &self.log.root, source));
                }
                Err(PutError::Taken(source)) => (true, source),
                Err(PutError::Unknown(source)) => (false, source),
            };
            let action = if is_taken { "take a version of" } else { "write a commit of" };
            let source = DeltaError::store(action, &self.log.root, source);
            // Whatever the answer was, the log tells what is there.
            let freshness = match self.catch_up(Some(id), &mut found_at).await {
                Ok(freshness) => freshness,
                Err(_) => return in_doubt(self, source),
            };
            self.check_writable()?;
            is_fresh = true;
            match freshness {
                Freshness::Advanced => doubts = 0,
                // It may land still. The same version again can only be won once, by either of the two requests.
                Freshness::Same if doubts + 1 < DOUBTS_MAX => doubts += 1,
                Freshness::Same | Freshness::Reloaded => return in_doubt(self, source),
            }
        }
        Err(DeltaError::Contended { table: self.name(), tries: TRIES_MAX })
    }

    /// The version is written. It counts, unless the log was cleaned up past it between the look and the request: then
    /// it lies before the checkpoint that readers begin with.
    async fn landed<S>(&mut self, version: u64, actions: Vec<Action>) -> Result<Landed<S>, DeltaError> {
        if let Ok(true) = self.is_cleaned_up_behind(version).await
            && let Ok(None) = self.log.commit(version - 1).await
        {
            let why = "the log was cleaned up past this version while it was written";
            let source = Box::new(DeltaError::damaged(&self.log.root, why));
            return Err(DeltaError::InDoubt { table: self.name(), version, source });
        }
        let applied = self.snapshot.apply(version, actions);
        applied.map_err(|why| DeltaError::damaged(&self.log.root, why))?;
        Ok(Landed::Written { version })
    }
}

impl Purpose {
    fn operation(self) -> &'static str {
        match self {
            Self::Write => "WRITE",
            Self::Compact => "OPTIMIZE",
        }
    }
}

fn mode(commit: &Commit) -> &'static str {
    if commit.removes.is_empty() { "Append" } else { "Overwrite" }
}
