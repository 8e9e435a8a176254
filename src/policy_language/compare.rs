//! One value of a condition against one value of the request.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>.

use std::cmp::Ordering;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;

use super::answer::{About, Answer};
use super::context::Context;
use super::pattern::{Fit, Token, fit, tokens};
use super::variable::{Filled, Reading, fill};

/// What an operator compares, its negation, `IfExists` and set prefix taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Text { ignore_case: bool, has_wildcards: bool },
    Arn,
    Bool,
    Number(Order),
    Date(Order),
    Address,
    Binary,
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Whether the request's value is one that the policy's value names.
pub(super) fn compare(comparison: Comparison, wanted: &str, found: &str, has_variables: bool, context: &Context) -> Answer {
    let ordered = |order: Order, ordering: Option<Ordering>| match ordering {
        Some(ordering) => Answer::from(order.holds(ordering)),
        None => unreadable(wanted, found),
    };
    match comparison {
        Comparison::Text { ignore_case, has_wildcards } => match fill(wanted, Reading { has_wildcards, has_variables }, context) {
            Some(filled) => filled.matches(&tokens(found, false), ignore_case),
            None => Answer::No,
        },
        Comparison::Arn => match fill(wanted, Reading { has_wildcards: true, has_variables }, context) {
            Some(filled) => compare_arn(&filled, &tokens(found, false)),
            None => Answer::No,
        },
        Comparison::Bool => match (as_bool(wanted), as_bool(found)) {
            (Some(wanted), Some(found)) => Answer::from(wanted == found),
            _ => unreadable(wanted, found),
        },
        Comparison::Number(order) => {
            ordered(order, as_number(found).zip(as_number(wanted)).and_then(|(found, wanted)| found.partial_cmp(&wanted)))
        }
        Comparison::Date(order) => ordered(order, as_time(found).zip(as_time(wanted)).map(|(found, wanted)| found.cmp(&wanted))),
        Comparison::Address => match (as_network(wanted), found.parse::<IpAddr>()) {
            (Some(network), Ok(address)) => Answer::from(network.contains(&address)),
            _ => unreadable(wanted, found),
        },
        // Both sides are the same Base64 text when the bytes are the same; an encoder that pads differently cannot be told.
        Comparison::Binary => Answer::from(wanted == found),
        // Asked of the key, not of its values: `condition.rs` never comes here with it.
        Comparison::Null => unreadable(wanted, found),
    }
}

/// `ArnEquals` and `ArnLike` are one: each of the six parts is matched apart, so a wildcard does not cross a colon before the sixth.
fn compare_arn(wanted: &Filled, found: &[Token]) -> Answer {
    let overall = fit(&wanted.tokens, found);
    if overall == Fit::Never {
        return Answer::No;
    }
    if wanted.tokens.contains(&Token::Hole) {
        return wanted.doubt(found);
    }
    match (arn_parts(&wanted.tokens), arn_parts(found)) {
        (Some(wanted), Some(found)) => Answer::from(wanted.iter().zip(found).all(|(wanted, found)| fit(wanted, found) == Fit::Surely)),
        _ => Answer::unknown(About::Undocumented("an ARN condition on what has fewer than six parts")),
    }
}

fn arn_parts(arn: &[Token]) -> Option<Vec<&[Token]>> {
    let parts: Vec<_> = arn.splitn(6, |token| *token == Token::Char(':')).collect();
    (parts.len() == 6).then_some(parts)
}

impl Order {
    fn holds(self, found_to_wanted: Ordering) -> bool {
        match self {
            Self::Equal => found_to_wanted.is_eq(),
            Self::Less => found_to_wanted.is_lt(),
            Self::LessOrEqual => found_to_wanted.is_le(),
            Self::Greater => found_to_wanted.is_gt(),
            Self::GreaterOrEqual => found_to_wanted.is_ge(),
        }
    }
}

fn unreadable(wanted: &str, found: &str) -> Answer {
    Answer::unknown(About::Unreadable(format!("a comparison of \"{found}\" with \"{wanted}\"")))
}

fn as_bool(text: &str) -> Option<bool> {
    [true, false].into_iter().find(|value| text.eq_ignore_ascii_case(&value.to_string()))
}

fn as_number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

/// ISO 8601 from the year alone to fractions of a second, or the seconds since 1970.
fn as_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let digits_and_dashes = text.chars().all(|c| c.is_ascii_digit() || c == '-');
    match (text.len(), text.parse::<i64>()) {
        (4, Ok(_)) => format!("{text}-01-01T00:00:00Z").parse().ok(),
        (_, Ok(seconds)) => Timestamp::from_second(seconds).ok(),
        (7, Err(_)) if digits_and_dashes => format!("{text}-01T00:00:00Z").parse().ok(),
        (10, Err(_)) if digits_and_dashes => format!("{text}T00:00:00Z").parse().ok(),
        _ => text.parse().ok(),
    }
}

/// An address without a prefix length is that one address.
fn as_network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}
