//! `*` and `?`, against a text or against another pattern.

/// One character of a pattern, or what stands for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Char(char),
    /// `?`: any one character.
    One,
    /// `*`: any characters, or none.
    Many,
    /// A policy variable whose value is not known: one certain text, whichever.
    Hole,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// Every text that the other side stands for matches.
    Surely,
    Maybe,
    Never,
}

/// Reads a text in which `*` and `?` are wildcards, or stand for themselves.
pub(super) fn tokens(text: &str, has_wildcards: bool) -> Vec<Token> {
    text.chars().map(|c| token(c, has_wildcards)).collect()
}

pub(super) fn token(c: char, has_wildcards: bool) -> Token {
    match c {
        '*' if has_wildcards => Token::Many,
        '?' if has_wildcards => Token::One,
        c => Token::Char(c),
    }
}

pub(super) fn lower_case(tokens: &[Token]) -> Vec<Token> {
    let mut lower = Vec::with_capacity(tokens.len());
    for token in tokens {
        match token {
            Token::Char(c) => lower.extend(c.to_lowercase().map(Token::Char)),
            other => lower.push(*other),
        }
    }
    lower
}

/// Whether the pattern matches what the other side stands for: a text, or all the texts of another pattern.
///
/// "Surely" may be missed for odd mixtures of `*` and `?` on both sides, and is then "maybe"; it is never claimed wrongly.
pub(super) fn fit(pattern: &[Token], other: &[Token]) -> Fit {
    if !pattern.contains(&Token::Hole) && reaches(pattern, other, false) {
        Fit::Surely
    } else if reaches(pattern, other, true) {
        Fit::Maybe
    } else {
        Fit::Never
    }
}

/// Walks the table of all pairs of prefixes, so the time is the product of both lengths whatever the pattern.
///
/// Strictly, wildcards of the other side count as characters that only the pattern's own wildcards match. Loosely, they and holes are
/// whatever helps: the question is whether the two have a text in common.
fn reaches(pattern: &[Token], other: &[Token], loosely: bool) -> bool {
    let is_many = |token: Token| token == Token::Many || (loosely && token == Token::Hole);
    // Whether the pattern read so far matches the first 0, 1, 2, … tokens of the other side.
    let mut row = vec![true];
    let mut blank = true;
    for token in other {
        blank = blank && loosely && is_many(*token);
        row.push(blank);
    }
    for wanted in pattern {
        let mut above = row.iter().copied();
        let mut diagonal = above.next().unwrap_or(false);
        let mut left = diagonal && is_many(*wanted);
        let mut next = Vec::with_capacity(row.len());
        next.push(left);
        for (found, up) in other.iter().zip(above) {
            let is_one_step = match (wanted, found) {
                (Token::Char(wanted), Token::Char(found)) => wanted == found,
                (Token::One, Token::Char(_) | Token::One) => true,
                (Token::Char(_), Token::One) => loosely,
                _ => false,
            };
            let here = if is_many(*wanted) || (loosely && is_many(*found)) { up || left } else { diagonal && is_one_step };
            next.push(here);
            diagonal = up;
            left = here;
        }
        if !next.contains(&true) {
            return false;
        }
        row = next;
    }
    row.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::{Fit, fit, tokens};

    #[test]
    fn patterns_fit_texts_and_patterns() {
        use Fit::{Maybe, Never, Surely};
        let cases = [
            ("", "", Surely),
            ("", "a", Never),
            ("*", "", Surely),
            ("?", "", Never),
            ("?", "a", Surely),
            ("a*c", "abc", Surely),
            ("a*c", "ac", Surely),
            ("a*c", "acb", Never),
            ("a?c", "ac", Never),
            ("*a*b*", "xxaxxbxx", Surely),
            ("*a*b*", "xxbxxa", Never),
            // The other side is a pattern, too.
            ("*", "*", Surely),
            ("bucket-*", "bucket-*", Surely),
            ("bucket-*", "bucket-1*/key", Surely),
            ("bucket-1*", "bucket-*", Maybe),
            ("bucket-*/key", "bucket-*", Maybe),
            ("bucket-*", "pail-*", Never),
            ("bucket-?", "bucket-?", Surely),
            ("bucket-1", "bucket-?", Maybe),
            ("bucket-*-end", "bucket-*-start", Never),
            ("a*", "*a", Maybe),
            ("ab", "*", Maybe),
            ("?*", "*", Maybe),
            ("*?", "a", Surely),
        ];
        for (pattern, other, expected) in cases {
            assert_eq!(fit(&tokens(pattern, true), &tokens(other, true)), expected, "{pattern} against {other}");
        }
    }

    #[test]
    fn a_pattern_made_to_be_slow_is_not() {
        let pattern = "*a".repeat(200) + "b";
        let text = "a".repeat(2_000);
        assert_eq!(fit(&tokens(&pattern, true), &tokens(&text, false)), Fit::Never);
    }
}
