//! Text of any origin between tags and in attributes.

use std::fmt::{self, Display, Formatter, Write};

/// Longest text of a recording that is shown whole, characters.
const LONGEST: usize = 160;

/// Something shown as text, whatever is in it: no tag, no attribute and no entity begins inside. Characters
/// that XML has no place for become U+FFFD.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<T>(pub T);

struct Escaping<'a, 'b>(&'a mut Formatter<'b>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match character {
                '&' => self.0.write_str("&amp;")?,
                '<' => self.0.write_str("&lt;")?,
                '>' => self.0.write_str("&gt;")?,
                '"' => self.0.write_str("&quot;")?,
                '\'' => self.0.write_str("&#39;")?,
                '\t' | '\n' => self.0.write_char(character)?,
                // Controls, and those that turn the direction of the text around them.
                '\u{0}'..='\u{1f}'
                | '\u{7f}'..='\u{9f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}' => {
                    self.0.write_char('\u{fffd}')?;
                }
                '\u{fffe}' | '\u{ffff}' => self.0.write_char('\u{fffd}')?,
                other => self.0.write_char(other)?,
            }
        }
        Ok(())
    }
}

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

/// A name or path of a recording: escaped, its end left out where it is long.
pub(super) fn name(text: &str) -> String {
    clipped(text, LONGEST)
}

/// As [`name`], at most `longest` characters.
pub(super) fn clipped(text: &str, longest: usize) -> String {
    if text.char_indices().nth(longest).is_none() {
        return Escaped(text).to_string();
    }
    let kept: String = text.chars().take(longest.saturating_sub(1)).collect();
    format!("{}…", Escaped(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_is_markup() {
        let hostile = "<script>alert('a&b')</script>\" onload=\"x";
        let text = Escaped(hostile).to_string();
        assert!(!text.contains(['<', '>', '"', '\'']), "{text}");
        let page = format!("<p title=\"{text}\">{text}</p>");
        let document = roxmltree::Document::parse(&page).unwrap();
        let root = document.root_element();
        assert_eq!((root.attribute("title"), root.text()), (Some(hostile), Some(hostile)));
    }

    #[test]
    fn what_no_page_may_hold_is_replaced() {
        assert_eq!(
            Escaped("a\0b\u{1b}[31m\u{202e}c\u{ffff}\n").to_string(),
            "a\u{fffd}b\u{fffd}[31m\u{fffd}c\u{fffd}\n"
        );
    }

    #[test]
    fn long_names_are_cut_between_characters_and_never_inside_an_entity() {
        assert_eq!(clipped("ä<öü", 4), "ä&lt;öü");
        assert_eq!(clipped("ä<öüx", 3), "ä&lt;…");
    }
}
