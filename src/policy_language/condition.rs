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

/// Later than any date that a policy names.
const LATEST: &str = "9999-01-01T00:00:00Z";

impl Condition {
    /// Whether the condition holds. `has_variables` comes from the policy's version.
    pub(super) fn holds(&self, has_variables: bool, context: &Context) -> Answer {
        let about = |why: &String| About::ConditionKey { key: self.key.clone(), why: why.clone() };
        let with = |values: &[String]| self.holds_with(values, has_variables, context);
        match context.get(&self.key) {
            KeyValue::Known(values) => with(values),
            KeyValue::Absent => with(&[]),
            KeyValue::Unknown(why) => Answer::unknown(about(why)),
            KeyValue::OneOf(possible, why) => {
                let answers = possible.iter().map(|value| with(value.as_slice()));
                answers.reduce(|one, other| one.either(other, about(why))).unwrap_or_else(|| Answer::unknown(about(why)))
            }
            KeyValue::Since(earliest, why) => match self.operator.comparison {
                Comparison::Null => with(std::slice::from_ref(earliest)),
                // What holds at both ends holds between them; of one equal to neither, nothing is said.
                Comparison::Date(order) if order != Order::Equal => {
                    with(std::slice::from_ref(earliest)).either(with(&[LATEST.to_owned()]), about(why))
                }
                _ => Answer::unknown(about(why)),
            },
        }
    }

    /// Whether it holds for a request with these values of the key; with none of them, without the key.
    fn holds_with(&self, values: &[String], has_variables: bool, context: &Context) -> Answer {
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

#[cfg(test)]
mod tests {
    use super::{Answer, Condition, Context, Operator};

    #[test]
    fn what_is_known_in_part_decides_what_hangs_on_no_more() {
        let context = Context::new().one_of("mfa", &[None, Some("false")], "the pages disagree").since(
            "issued",
            "2026-11-22T22:00:00Z",
            "it is renewed",
        );
        let cases = [
            // Absent, or false.
            ("BoolIfExists", "mfa", "false", "yes"),
            ("Bool", "mfa", "false", "?"),
            ("Bool", "mfa", "true", "no"),
            ("BoolIfExists", "mfa", "true", "?"),
            ("Null", "mfa", "true", "?"),
            ("StringEquals", "mfa", "perhaps", "no"),
            ("StringNotEquals", "mfa", "perhaps", "yes"),
            // This date, or a later one.
            ("DateLessThan", "issued", "2026-11-01T00:00:00Z", "no"),
            ("DateLessThan", "issued", "2026-11-22T22:00:00Z", "no"),
            ("DateLessThan", "issued", "2026-11-23T00:00:00Z", "?"),
            ("DateLessThanEquals", "issued", "2026-11-22T22:00:00Z", "?"),
            ("DateGreaterThan", "issued", "2026-11-01T00:00:00Z", "yes"),
            ("DateGreaterThan", "issued", "2026-11-23T00:00:00Z", "?"),
            ("DateEquals", "issued", "2026-11-01T00:00:00Z", "?"),
            ("DateNotEquals", "issued", "2026-11-01T00:00:00Z", "?"),
            ("DateLessThan", "issued", "soon", "?"),
            ("StringLike", "issued", "2027-*", "?"),
            ("Null", "issued", "true", "no"),
        ];
        for (operator, key, value, expected) in cases {
            let condition = Condition { operator: Operator::parse(operator).unwrap(), key: key.to_owned(), values: vec![value.to_owned()] };
            let said = match condition.holds(true, &context) {
                Answer::Yes => "yes",
                Answer::No => "no",
                Answer::Unknown(_) => "?",
            };
            assert_eq!(said, expected, "{operator} {key} {value}");
        }
    }
}
