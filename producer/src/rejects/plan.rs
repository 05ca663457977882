//! What would become of a reject if it were sent again. Pure.
//!
//! The processor remembers every identity that it has met, rejected ones too: the same record under the same key is a
//! duplicate, whatever has been repaired meanwhile, and counts once. What is judged anew is a record with another identity:
//! other bytes, or the key that it should have had. A changed rule is a new generation, which reads everything anew by itself.

use domain::wire::decode_raw;
use domain::{Atlas, Reject, Rejection, SightingId};

use crate::ingest::body::judged;

/// What sending it again would come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Its key was wrong: under its own id it is a sighting.
    Rekey(SightingId),
    /// The rules of this program take it: a new generation does so by itself.
    Regenerate,
    /// It would be rejected again, so its row has to be edited.
    Edit(Rejection),
    /// Only its beginning is there: its row has to come from where it came from before.
    Cut,
}

impl Plan {
    /// In a few words, the same for every reject of the kind.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Rekey(_) => "the key was wrong: can be sent under its own id",
            Self::Regenerate => "today's rules take it: start the processor with another --generation",
            Self::Edit(_) => "has to be edited: list --rows, then replay --edited",
            Self::Cut => "only its beginning is kept: send the row's file again, repaired",
        }
    }
}

/// Decides.
pub fn plan(reject: &Reject<'_>, atlas: &Atlas) -> Plan {
    if reject.is_cut {
        return Plan::Cut;
    }
    let raw = match decode_raw(&reject.bytes) {
        Ok(raw) => raw,
        Err(rejection) => return Plan::Edit(rejection),
    };
    if matches!(raw, domain::Raw::Oversized { .. }) {
        return Plan::Cut;
    }
    let id = raw.id();
    match judged(id, &reject.bytes, atlas) {
        Err(rejection) => Plan::Edit(rejection),
        Ok(()) if reject.key.as_deref() == Some(&id.to_hex()) => Plan::Regenerate,
        Ok(()) => Plan::Rekey(id),
    }
}

#[cfg(test)]
mod tests {
    use domain::{COLUMNS, Header, Origin, Outcome, RawRecord, RejectCode, judge, wire};

    use super::*;

    fn row(datetime: &str) -> (SightingId, Vec<u8>) {
        let header = Header::parse(COLUMNS.iter().map(|name| name.as_bytes())).unwrap();
        let mut fields = [b"".as_slice(); 11];
        fields[0] = datetime.as_bytes();
        let mut value = Vec::new();
        let id = wire::encode_row(&header, fields, &mut value);
        (id, value)
    }

    /// What the processor makes of a record, and what is planned for it.
    fn planned(key: Option<&[u8]>, value: &[u8]) -> (Option<RejectCode>, Plan) {
        let atlas = Atlas::new();
        let verdict = judge(RawRecord { key, value: Some(value) }, &atlas);
        let rejection = match verdict.outcome {
            Outcome::Reject(rejection) => rejection,
            Outcome::Sighting(_) => Rejection::new(RejectCode::DatetimeInvalid, "by the rules of before"),
        };
        let code = rejection.code;
        let value = Some(value);
        let origin = Origin { topic: "ufo.raw", partition: 0, offset: 1, timestamp_ms: 2, key, value };
        let reject = Reject::new(verdict.id, rejection, origin);
        (Some(code), plan(&reject, &atlas))
    }

    #[test]
    fn a_wrong_key_is_all_that_can_be_repaired_by_itself() {
        let (id, value) = row("10/10/1949 20:30");
        for key in [None, Some(b"4711".as_slice())] {
            assert_eq!(planned(key, &value), (Some(RejectCode::KeyMismatch), Plan::Rekey(id)));
        }
        let (_, bad) = row("soon");
        let (code, plan) = planned(Some(b"4711"), &bad);
        assert_eq!(code, Some(RejectCode::KeyMismatch));
        assert!(matches!(plan, Plan::Edit(rejection) if rejection.code == RejectCode::DatetimeInvalid));
    }

    #[test]
    fn the_same_record_again_would_be_a_duplicate() {
        let (id, value) = row("soon");
        let (code, plan) = planned(Some(&id.to_hex()), &value);
        assert!(matches!(plan, Plan::Edit(rejection) if Some(rejection.code) == code));
        let (id, value) = row("10/10/1949 20:30");
        assert_eq!(planned(Some(&id.to_hex()), &value).1, Plan::Regenerate);
    }

    #[test]
    fn what_is_not_there_cannot_be_sent() {
        let (_, plan) = planned(None, &vec![b'x'; 700 * 1024]);
        assert_eq!(plan, Plan::Cut);
        let mut value = Vec::new();
        let id = wire::encode_oversized(b"head", 1 << 20, SightingId::from_bytes([1; 16]), &mut value);
        assert_eq!(planned(Some(&id.to_hex()), &value).1, Plan::Cut);
    }

    #[test]
    fn what_is_no_row_has_to_be_edited() {
        for (value, expected) in
            [("no", RejectCode::NotJson), ("5", RejectCode::NotAnObject), ("{}", RejectCode::MissingColumn)]
        {
            let (code, plan) = planned(None, value.as_bytes());
            assert_eq!(code, Some(expected));
            assert!(matches!(plan, Plan::Edit(rejection) if rejection.code == expected), "{value}");
        }
    }
}
