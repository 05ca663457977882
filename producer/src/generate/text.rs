//! Writes numbers, and texts with the file's own entities.

/// Appends a number in decimal digits.
pub(super) fn push_number(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// Appends a number below 100 in two digits.
pub(super) fn push_two_digits(number: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]);
}

/// The entity that the file has for this character; most characters stand for themselves.
pub(super) fn entity(character: char) -> Option<&'static str> {
    Some(match character {
        ',' => "&#44",
        '\'' => "&#39",
        '!' => "&#33",
        '"' => "&quot;",
        '&' => "&amp;",
        '\u{2019}' => "&#8217;",
        '\u{2026}' => "&#8230;",
        '\u{2013}' => "&#8211;",
        '\u{201c}' => "&#8220;",
        '\u{201d}' => "&#8221;",
        '\u{bd}' => "&#189;",
        'ü' => "&uuml;",
        'í' => "&iacute;",
        'ø' => "&oslash;",
        _ => return None,
    })
}

/// A text as the file has it: no character in it that would need quotes, nor any that is no ASCII.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match entity(character) {
            Some(entity) => out.push_str(entity),
            None => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_digits() {
        let mut out = Vec::new();
        for number in [0, 7, 10, 97_836_000, u64::MAX] {
            push_number(number, &mut out);
            out.push(b' ');
        }
        push_two_digits(5, &mut out);
        push_two_digits(24, &mut out);
        assert_eq!(out, b"0 7 10 97836000 18446744073709551615 0524");
    }

    #[test]
    fn entities_are_those_of_the_file() {
        assert_eq!(encoded("a, \"b\" & c's\u{2026}!"), "a&#44 &quot;b&quot; &amp; c&#39s&#8230;&#33");
        assert!(encoded("5\u{bd} ü").is_ascii());
    }
}
