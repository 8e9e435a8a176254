//! The `Condition` element: operators over condition keys.
//!
//! Sources: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>.

use super::answer::{About, Answer};
use super::compare::{Comparison, Order, compare};
use super::context::{Context, KeyValue};

/// One key under one operator. All conditions of a statement must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) operator: Operator,
    pub(super) key: String,
    /// Never empty.
    pub(super) values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operator {
    set: Option<Set>,
    comparison: Comparison,
    is_negated: bool,
    if_exists: bool,
}

/// What a key with several values needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    ForAllValues,
    ForAnyValue,
}

impl Condition {
    /// Whether the condition holds. `has_variables` comes from the policy's version.
    pub(super) fn holds(&self, has_variables: bool, context: &Context) -> Answer {
        let values = match context.get(&self.key) {
            KeyValue::Unknown(why) => return Answer::unknown(About::ConditionKey { key: self.key.clone(), why: why.clone() }),
            KeyValue::Absent => &[][..],
            KeyValue::Known(values) => values.as_slice(),
        };
        if self.operator.comparison == Comparison::Null {
            return Answer::any(self.values.iter().map(|wanted| self.is_null(wanted, values)));
        }
        let satisfies = |found: &String| {
            let matched =
                Answer::any(self.values.iter().map(|wanted| compare(self.operator.comparison, wanted, found, has_variables, context)));
            // Several values under a negated operator are neither … nor.
            if self.operator.is_negated { matched.negate() } else { matched }
        };
        let for_all = || Answer::all(values.iter().map(satisfies));
        let for_any = || Answer::any(values.iter().map(satisfies));
        let as_empty = self.without_values();
        match (self.operator.set, values) {
            (_, []) => as_empty,
            (Some(_), [blank]) if blank.is_empty() => {
                as_empty.either(satisfies(blank), About::Undocumented("which keys with one empty value count as an empty set"))
            }
            (Some(Set::ForAllValues), _) => for_all(),
            (Some(Set::ForAnyValue), _) => for_any(),
            (None, [one]) => satisfies(one),
            (None, _) => for_all().either(for_any(), About::Undocumented("a key with several values under an operator for one")),
        }
    }

    /// What an absent key means, and a set without members.
    fn without_values(&self) -> Answer {
        let operator = self.operator;
        match operator.set {
            Some(Set::ForAllValues) => Answer::Yes,
            // The page of the operators says true, the one of the sets says false.
            Some(Set::ForAnyValue) if operator.if_exists => {
                Answer::unknown(About::Undocumented("ForAnyValue together with IfExists on a missing key"))
            }
            Some(Set::ForAnyValue) => Answer::No,
            None => Answer::from(operator.if_exists || operator.is_negated),
        }
    }

    fn is_null(&self, wanted: &str, values: &[String]) -> Answer {
        match wanted.to_ascii_lowercase().as_str() {
            "true" => Answer::from(values.is_empty()),
            "false" => Answer::from(!values.is_empty()),
            _ => Answer::unknown(About::Unreadable(format!("\"{wanted}\" for Null of {}", self.key))),
        }
    }
}

impl Operator {
    /// `None` for an operator that is not one.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (set, rest) = match name.split_once(':') {
            Some(("ForAllValues", rest)) => (Some(Set::ForAllValues), rest),
            Some(("ForAnyValue", rest)) => (Some(Set::ForAnyValue), rest),
            Some(_) => return None,
            None => (None, name),
        };
        let (base, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |base| (base, true));
        let text = |ignore_case, has_wildcards| Comparison::Text { ignore_case, has_wildcards };
        let (comparison, is_negated) = match base {
            "StringEquals" => (text(false, false), false),
            "StringNotEquals" => (text(false, false), true),
            "StringEqualsIgnoreCase" => (text(true, false), false),
            "StringNotEqualsIgnoreCase" => (text(true, false), true),
            "StringLike" => (text(false, true), false),
            "StringNotLike" => (text(false, true), true),
            "ArnEquals" | "ArnLike" => (Comparison::Arn, false),
            "ArnNotEquals" | "ArnNotLike" => (Comparison::Arn, true),
            "Bool" => (Comparison::Bool, false),
            "BinaryEquals" => (Comparison::Binary, false),
            "IpAddress" => (Comparison::Address, false),
            "NotIpAddress" => (Comparison::Address, true),
            "Null" if set.is_none() && !if_exists => (Comparison::Null, false),
            other => ordered(other)?,
        };
        Some(Self { set, comparison, is_negated, if_exists })
    }
}

fn ordered(name: &str) -> Option<(Comparison, bool)> {
    let (comparison, order): (fn(Order) -> Comparison, &str) = match (name.strip_prefix("Numeric"), name.strip_prefix("Date")) {
        (Some(order), _) => (Comparison::Number, order),
        (_, Some(order)) => (Comparison::Date, order),
        _ => return None,
    };
    let (order, is_negated) = match order {
        "Equals" => (Order::Equal, false),
        "NotEquals" => (Order::Equal, true),
        "LessThan" => (Order::Less, false),
        "LessThanEquals" => (Order::LessOrEqual, false),
        "GreaterThan" => (Order::Greater, false),
        "GreaterThanEquals" => (Order::GreaterOrEqual, false),
        _ => return None,
    };
    Some((comparison(order), is_negated))
}
