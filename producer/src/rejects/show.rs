//! Rejects as text. What they hold was written by anybody: nothing of it reaches a terminal as a control character. Pure.

use std::fmt::Write as _;

use domain::wire::decode_raw;
use domain::{CivilTime, Column, Raw, Reject};
use serde_json::{Map, Value};

use super::plan::Plan;

/// Longer messages are cut in a table.
const MESSAGE_CHARACTERS: usize = 100;
/// Where the fields of a row that has too many are put for whoever edits it.
const MORE: &str = "_more";

/// One line of a table: where, when, why, which.
pub fn line(reject: &Reject<'_>) -> String {
    let place = format!("{}:{}", reject.partition, reject.offset);
    let message: String = plain(&reject.message).chars().take(MESSAGE_CHARACTERS).collect();
    let (time, code) = (instant(reject.rejected_at_ms), reject.code.name());
    format!("{place:<12} {time} {code:<16} {} {message}", reject.id)
}

/// All of it, and what can be done about it.
pub fn details(reject: &Reject<'_>, plan: &Plan) -> String {
    let key = reject.key.as_deref().map_or("none".into(), |key| plain(&String::from_utf8_lossy(key)));
    let lines = [
        ("id", reject.id.to_string()),
        ("code", format!("{} (stage {})", reject.code.name(), reject.stage.name())),
        ("message", plain(&reject.message)),
        (
            "record",
            format!("{}, partition {}, offset {}", plain(&reject.topic), reject.partition, reject.offset),
        ),
        ("at", instant(reject.rejected_at_ms)),
        ("key", key),
        ("today", today(plan)),
        (
            "bytes",
            format!("{}{}", reject.bytes.len(), if reject.is_cut { ", the beginning of more" } else { "" }),
        ),
    ];
    let mut text = String::new();
    for (name, value) in lines {
        let _ = writeln!(text, "{name:<8} {value}");
    }
    let _ = writeln!(text, "\n{}", plain(&String::from_utf8_lossy(&reject.bytes)));
    text
}

fn today(plan: &Plan) -> String {
    match plan {
        Plan::Edit(rejection) => {
            format!("{} ({}: {})", plan.advice(), rejection.code.name(), plain(&rejection.message))
        }
        Plan::Rekey(id) => format!("{} ({id})", plan.advice()),
        Plan::Regenerate | Plan::Cut => plan.advice().to_owned(),
    }
}

/// The row as one line of JSON, to be edited and sent again; nothing where there is no row in it.
///
/// Of a row with the wrong number of fields nobody knows which is which: they are given in the order of the Kaggle file, what is
/// left over as `_more`, which is passed over when the row is sent.
pub fn row(reject: &Reject<'_>) -> Option<String> {
    if reject.is_cut {
        return None;
    }
    let mut object = Map::new();
    match decode_raw(&reject.bytes) {
        Ok(Raw::Row(row)) => {
            for column in Column::ALL {
                object.insert(column.name().to_owned(), row.get(column).into());
            }
        }
        Ok(Raw::Misfit(misfit)) => {
            let mut fields = misfit.fields.iter();
            for column in Column::ALL {
                let field = fields.next().map_or("", AsRef::as_ref);
                object.insert(column.name().to_owned(), field.into());
            }
            let more: Vec<Value> = fields.map(|field| Value::from(field.as_ref())).collect();
            if !more.is_empty() {
                object.insert(MORE.to_owned(), more.into());
            }
        }
        Ok(Raw::Oversized { .. }) => return None,
        Err(_) => object = serde_json::from_slice(&reject.bytes).ok()?,
    }
    serde_json::to_string(&object).ok()
}

/// Without what a terminal would obey.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        // Marks that turn the direction of writing around hide what stands there.
        let is_turning = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || is_turning {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

/// `2026-11-24T09:22:18.123Z`
fn instant(ms: i64) -> String {
    let time = CivilTime::from_seconds(ms.div_euclid(1_000));
    time.map_or_else(|| format!("{ms} ms"), |time| format!("{time}.{:03}Z", ms.rem_euclid(1_000)))
}

#[cfg(test)]
mod tests {
    use domain::{Atlas, Origin, Outcome, RawRecord, judge};

    use super::super::plan::plan;
    use super::*;

    fn with_reject<T>(value: &[u8], of: impl FnOnce(&Reject<'_>) -> T) -> T {
        let key = Some(b"k\x1b[31m".as_slice());
        let verdict = judge(RawRecord { key, value: Some(value) }, &Atlas::new());
        let Outcome::Reject(rejection) = verdict.outcome else { panic!("a sighting") };
        let timestamp_ms = 1_795_512_138_123;
        let origin =
            Origin { topic: "ufo.raw", partition: 3, offset: 17, timestamp_ms, key, value: Some(value) };
        of(&Reject::new(verdict.id, rejection, origin))
    }

    #[test]
    fn nothing_hostile_reaches_the_terminal() {
        let value = "no\x1b]0;owned\x07 json\u{202e}\r\n";
        let (line, details) = with_reject(value.as_bytes(), |reject| {
            (line(reject), details(reject, &plan(reject, &Atlas::new())))
        });
        for text in [&line, &details] {
            assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
        }
        assert!(line.starts_with("3:17         2026-11-24T09:22:18.123Z not_json         "), "{line}");
        assert!(
            details.contains(r"k\u{1b}[31m") && details.contains(r"no\u{1b}]0;owned\u{7} json"),
            "{details}"
        );
    }

    #[test]
    fn a_row_is_given_as_one_line_that_can_be_edited() {
        let misfit = br#"{"_row":["10/10/1949 20:30","a","b","c","d","e","f","g","h","i","j","k","l"]}"#;
        let row = with_reject(misfit, super::row).unwrap();
        let object: Map<String, Value> = serde_json::from_str(&row).unwrap();
        assert_eq!(object["longitude"], "j");
        assert_eq!(object[MORE], serde_json::json!(["k", "l"]));
        assert_eq!(object.len(), 12);
        let lacking = with_reject(b"{\n\"city\": 5}", super::row);
        assert_eq!(lacking.as_deref(), Some(r#"{"city":5}"#));
        assert_eq!(with_reject(b"no json", super::row), None);
        assert_eq!(with_reject(b"[1]", super::row), None);
    }
}
