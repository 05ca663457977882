//! Windows-1252 as browsers read it: every byte is a character, so that bytes and text go back and forth.

/// What 0x80 to 0x9f stand for; all other bytes stand for the character of their own number.
const HIGH_CONTROLS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

pub(crate) fn decode_byte(byte: u8) -> char {
    match byte {
        0x80..=0x9f => HIGH_CONTROLS[usize::from(byte - 0x80)],
        byte => char::from(byte),
    }
}

pub(crate) fn decode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| decode_byte(*byte)).collect()
}

/// Null where a character is none of the 256.
pub(crate) fn encode(text: &str) -> Option<Vec<u8>> {
    text.chars().map(encode_char).collect()
}

fn encode_char(character: char) -> Option<u8> {
    match u32::from(character) {
        number @ (0..=0x7f | 0xa0..=0xff) => u8::try_from(number).ok(),
        _ => {
            let place = HIGH_CONTROLS.iter().position(|high| *high == character)?;
            u8::try_from(0x80 + place).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(encode(&decode(&all)), Some(all));
        assert_eq!(decode(b"\x93it\x92s\x94"), "“it’s”");
        assert_eq!(encode("日"), None);
        assert_eq!(encode("\u{80}"), None);
    }
}
