//! Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, `${*}`.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>.

use std::collections::BTreeSet;

use super::answer::{About, Answer, Doubt};
use super::context::{Context, KeyValue};
use super::pattern::{Fit, Token, fit, lower_case, token, tokens};

/// A text of a policy with its variables filled in, as far as they are known.
#[derive(Debug, Clone)]
pub(super) struct Filled {
    pub(super) tokens: Vec<Token>,
    /// What would fill the holes.
    doubts: BTreeSet<Doubt>,
}

/// How a text of a policy is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// Whether `*` and `?` stand for other characters.
    pub(super) has_wildcards: bool,
    /// Whether the policy's `Version` is one that has variables; in an older one they stand for themselves.
    pub(super) has_variables: bool,
}

/// Fills in the variables. `None` when the request has no value for one of them: such a text matches nothing.
pub(super) fn fill(text: &str, reading: Reading, context: &Context) -> Option<Filled> {
    let mut filled = Filled { tokens: Vec::new(), doubts: BTreeSet::new() };
    let mut rest = text;
    while reading.has_variables
        && let Some((before, after)) = rest.split_once("${")
    {
        filled.push(before, reading.has_wildcards);
        let Some((name, behind)) = split_name(after) else {
            filled.dig(About::Unreadable(format!("\"{text}\" (the brace of a variable is not closed)")));
            return Some(filled);
        };
        filled.put(name, reading.has_wildcards, context)?;
        rest = behind;
    }
    filled.push(rest, reading.has_wildcards);
    Some(filled)
}

/// A brace inside a quoted default value does not end the variable.
fn split_name(after: &str) -> Option<(&str, &str)> {
    let (name, rest) = after.split_once('}')?;
    if name.matches('\'').count() != 1 {
        return Some((name, rest));
    }
    let (start, _) = after.split_once("'}")?;
    after.split_at_checked(start.len() + 1).and_then(|(name, rest)| Some((name, rest.strip_prefix('}')?)))
}

impl Filled {
    /// Whether a text of the policy matches what the request has, itself a text or a pattern.
    pub(super) fn matches(&self, found: &[Token], ignore_case: bool) -> Answer {
        let verdict = if ignore_case { fit(&lower_case(&self.tokens), &lower_case(found)) } else { fit(&self.tokens, found) };
        match verdict {
            Fit::Surely => Answer::Yes,
            Fit::Never => Answer::No,
            Fit::Maybe => self.doubt(found),
        }
    }

    /// Why a match is not sure: the holes, or the resource's own blanks.
    pub(super) fn doubt(&self, found: &[Token]) -> Answer {
        if self.doubts.is_empty() {
            let pattern = found.iter().map(|token| match token {
                Token::Char(c) => *c,
                Token::One => '?',
                Token::Many | Token::Hole => '*',
            });
            Answer::unknown(About::Resource(pattern.collect()))
        } else {
            Answer::Unknown(self.doubts.clone())
        }
    }

    fn push(&mut self, text: &str, has_wildcards: bool) {
        self.tokens.extend(tokens(text, has_wildcards));
    }

    fn dig(&mut self, about: About) {
        self.tokens.push(Token::Hole);
        self.doubts.insert(Doubt { statement: None, about });
    }

    /// The value of one variable, by what stands between its braces.
    fn put(&mut self, name: &str, has_wildcards: bool, context: &Context) -> Option<()> {
        if let "*" | "?" | "$" = name {
            self.push(name, false);
            return Some(());
        }
        let (key, default) = match name.split_once(',') {
            None => (name.trim(), None),
            Some((key, default)) => {
                let quoted = default.trim().strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
                let Some(default) = quoted else {
                    self.dig(About::Unreadable(format!("the variable ${{{name}}}")));
                    return Some(());
                };
                (key.trim(), Some(default))
            }
        };
        if key.is_empty() {
            self.dig(About::Unreadable("a variable without a name".to_owned()));
            return Some(());
        }
        let value = match context.get(key) {
            KeyValue::Unknown(why) | KeyValue::OneOf(_, why) | KeyValue::Since(_, why) => {
                self.dig(About::ConditionKey { key: key.to_owned(), why: why.clone() });
                return Some(());
            }
            KeyValue::Known(values) => match values.as_slice() {
                [] => default?,
                [one] => one.as_str(),
                _ => {
                    self.dig(About::Undocumented("a variable whose key has several values"));
                    return Some(());
                }
            },
            KeyValue::Absent => default?,
        };
        if has_wildcards && value.chars().any(|c| token(c, true) != Token::Char(c)) {
            self.dig(About::Undocumented("whether a wildcard in a variable's value is one"));
        } else {
            self.push(value, false);
        }
        Some(())
    }
}
