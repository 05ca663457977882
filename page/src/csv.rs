//! A table as CSV. Texts come from strangers, and spreadsheets take some of them for formulas: those are defused.

use crate::table::{Table, Value};

/// What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection).
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// RFC 4180: CRLF, quotes where they are needed.
pub(crate) fn csv(table: &Table) -> String {
    let mut out = String::with_capacity(table.rows.len() * 32);
    line(&mut out, table.columns.iter().map(|name| Value::Text((*name).to_owned())));
    for row in &table.rows {
        line(&mut out, row.iter().cloned());
    }
    out
}

fn line(out: &mut String, values: impl Iterator<Item = Value>) {
    for (index, value) in values.enumerate() {
        if index > 0 {
            out.push(',');
        }
        match value {
            Value::Null => {}
            Value::Count(count) => out.push_str(&count.to_string()),
            Value::Degrees(degrees) => out.push_str(&degrees.to_string()),
            Value::Text(text) => field(out, &text),
        }
    }
    out.push_str("\r\n");
}

fn field(out: &mut String, text: &str) {
    let guard = if text.starts_with(FORMULA) { "'" } else { "" };
    if text.contains([',', '"', '\r', '\n']) {
        out.push('"');
        out.push_str(guard);
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(guard);
        out.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        let mut table = Table::new(&["text", "count"]);
        table.push(vec![text.into(), 7_u64.into()]);
        csv(&table).strip_prefix("text,count\r\n").unwrap().to_owned()
    }

    #[test]
    fn a_formula_is_text() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"] {
            assert_eq!(of(text), format!("'{text},7\r\n"));
        }
        assert_eq!(of("\r=1"), "\"'\r=1\",7\r\n");
        assert_eq!(of("=HYPERLINK(\"http://x\",\"y\")"), "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\",7\r\n");
        assert_eq!(of("a=1"), "a=1,7\r\n");
    }

    #[test]
    fn numbers_stay_numbers_and_nothing_is_nothing() {
        let mut table = Table::new(&["a", "b"]);
        table.push(vec![Value::Degrees(-97.94), Value::Null]);
        table.push(vec![u128::MAX.into(), "two\nlines".into()]);
        assert_eq!(
            csv(&table),
            "a,b\r\n-97.94,\r\n340282366920938463463374607431768211455,\"two\nlines\"\r\n"
        );
    }
}
