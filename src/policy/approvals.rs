//! What an existing patch baseline of the user's own approves, and when.
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetPatchBaseline.html>

use super::baseline::Delay;
use crate::snapshot::ssm::{PatchBaseline, PatchFilterGroup, PatchRule};

/// What a baseline approves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approvals {
    rules: Vec<Rule>,
    /// The filters that a patch must pass beside those of a rule; empty where every patch does.
    only: String,
    /// The number of patches that are approved by name, whatever the rules say.
    named: usize,
    are_named_nonsecurity: bool,
    rejected: usize,
    /// The repositories that take the place of the system's own.
    sources: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    /// The filters in AWS's words; empty where every patch passes.
    filters: String,
    when: When,
    is_nonsecurity: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum When {
    Days(u16),
    /// `YYYY-MM-DD`
    Until(String),
    /// Neither is said, as for the systems that know no delay.
    Unsaid,
}

impl Approvals {
    pub(super) fn of(baseline: &PatchBaseline) -> Self {
        Self {
            rules: baseline.approval_rules.iter().flat_map(|group| &group.patch_rules).map(Rule::of).collect(),
            only: filters(baseline.global_filters.as_ref()),
            named: baseline.approved_patches.len(),
            are_named_nonsecurity: baseline.approved_patches_enable_non_security == Some(true),
            rejected: baseline.rejected_patches.len(),
            sources: baseline.sources.iter().filter_map(|source| source.name.clone()).collect(),
        }
    }

    /// Only what a rule or a name approves is installed.
    pub fn approve_nothing(&self) -> bool {
        self.rules.is_empty() && self.named == 0
    }

    /// Whether updates are approved that no notice calls security updates.
    pub(super) fn take_nonsecurity(&self) -> bool {
        self.rules.iter().any(|rule| rule.is_nonsecurity) || (self.named > 0 && self.are_named_nonsecurity)
    }

    /// The last day whose patches the rules approve, where each of them ends with a day.
    pub(super) fn last_day(&self) -> Option<&str> {
        let days: Option<Vec<&str>> =
            self.rules.iter().map(|rule| if let When::Until(day) = &rule.when { Some(day.as_str()) } else { None }).collect();
        days?.into_iter().max()
    }

    /// The least and the most days that the rules wait; `None` where one of them does not go by days.
    pub(super) fn days_of_rules(&self) -> Option<(u16, u16)> {
        let days: Option<Vec<u16>> =
            self.rules.iter().map(|rule| if let When::Days(days) = rule.when { Some(days) } else { None }).collect();
        let days = days?;
        Some((days.iter().min().copied()?, days.iter().max().copied()?))
    }

    pub(super) fn delay(&self) -> Delay {
        if self.approve_nothing() {
            return Delay::Never;
        }
        if self.rules.is_empty() {
            return Delay::Days(0);
        }
        match self.days_of_rules() {
            // What is approved by name does not wait.
            Some((_, most)) if self.named > 0 && most > 0 => Delay::Between(0, most),
            Some((least, most)) if least < most => Delay::Between(least, most),
            Some((days, _)) => Delay::Days(days),
            None if self.rules.iter().any(|rule| rule.when == When::Unsaid) => Delay::Unknown,
            None => Delay::UntilDate,
        }
    }

    /// For people, such as `CLASSIFICATION=Security after 7 days; 2 patches by name`.
    pub fn words(&self) -> String {
        let mut words: Vec<String> = self.rules.iter().map(Rule::words).collect();
        if self.named > 0 {
            words.push(patches(self.named) + " by name");
        }
        if words.is_empty() {
            words.push("nothing".to_owned());
        }
        if !self.only.is_empty() {
            words.push(format!("of all that only {}", self.only));
        }
        if self.rejected > 0 {
            words.push(format!("never {} that it rejects", patches(self.rejected)));
        }
        if !self.sources.is_empty() {
            words.push(format!("from {} in place of the system's own repositories", self.sources.join(", ")));
        }
        words.join("; ")
    }
}

impl Rule {
    fn of(rule: &PatchRule) -> Self {
        let days = rule.approve_after_days.and_then(|days| u16::try_from(days).ok());
        Self {
            filters: filters(rule.patch_filter_group.as_ref()),
            when: match (days, &rule.approve_until_date) {
                (Some(days), _) => When::Days(days),
                (None, Some(day)) => When::Until(day.clone()),
                (None, None) => When::Unsaid,
            },
            is_nonsecurity: rule.enable_non_security == Some(true),
        }
    }

    fn words(&self) -> String {
        let what = if self.filters.is_empty() { "every patch" } else { &self.filters };
        let too = if self.is_nonsecurity { ", nonsecurity updates too," } else { "" };
        match &self.when {
            When::Days(days) => format!("{what}{too} after {days} days"),
            When::Until(day) => format!("{what}{too} released up to {day}"),
            When::Unsaid => format!("{what}{too}").trim_end_matches(',').to_owned(),
        }
    }
}

fn patches(number: usize) -> String {
    if number == 1 { "1 patch".to_owned() } else { format!("{number} patches") }
}

/// As AWS writes them, without those that every value passes.
fn filters(group: Option<&PatchFilterGroup>) -> String {
    let filters = group.iter().flat_map(|group| &group.patch_filters).filter(|filter| !filter.values.iter().any(|value| value == "*"));
    let words = filters.map(|filter| format!("{}={}", filter.key.as_deref().unwrap_or_default(), filter.values.join(",")));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Approvals;
    use crate::policy::Delay;

    fn approvals(rules: &Value, named: &[&str]) -> Approvals {
        let baseline = json!({"ApprovalRules": {"PatchRules": rules}, "ApprovedPatches": named});
        Approvals::of(&serde_json::from_value(baseline).unwrap())
    }

    #[test]
    fn the_delay_is_that_of_every_rule() {
        let after = |days: u16| json!({"ApproveAfterDays": days});
        let until = |day: &str| json!({"ApproveUntilDate": day});
        let cases = [
            (json!([]), Delay::Never, Delay::Days(0)),
            (json!([after(7)]), Delay::Days(7), Delay::Between(0, 7)),
            (json!([after(0)]), Delay::Days(0), Delay::Days(0)),
            (json!([after(7), after(7)]), Delay::Days(7), Delay::Between(0, 7)),
            (json!([after(14), after(7), after(30)]), Delay::Between(7, 30), Delay::Between(0, 30)),
            (json!([until("2026-06-30")]), Delay::UntilDate, Delay::UntilDate),
            (json!([after(7), until("2026-06-30")]), Delay::UntilDate, Delay::UntilDate),
            (json!([{}]), Delay::Unknown, Delay::Unknown),
            (json!([{}, until("2026-06-30")]), Delay::Unknown, Delay::Unknown),
            (json!([after(7), {"ApproveAfterDays": -1}]), Delay::Unknown, Delay::Unknown),
        ];
        for (rules, by_rules, with_names) in cases {
            assert_eq!(approvals(&rules, &[]).delay(), by_rules, "{rules}");
            assert_eq!(approvals(&rules, &["kernel*"]).delay(), with_names, "{rules} and a name");
        }
    }

    #[test]
    fn the_last_day_is_one_only_where_every_rule_has_one() {
        let until = |day: &str| json!({"ApproveUntilDate": day});
        let last = |rules: Value| approvals(&rules, &[]).last_day().map(str::to_owned);
        assert_eq!(last(json!([until("2026-06-30"), until("2025-12-31")])).as_deref(), Some("2026-06-30"));
        assert_eq!(last(json!([until("2026-06-30"), {"ApproveAfterDays": 7}])), None);
        assert_eq!(last(json!([])), None);
    }

    #[test]
    fn what_is_approved_is_told_in_awss_words() {
        let filter = |key: &str, values: &[&str]| json!({"Key": key, "Values": values});
        let rule = |filters: Value, more: Value| {
            let mut rule = json!({"PatchFilterGroup": {"PatchFilters": filters}});
            rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            rule
        };
        let security = rule(
            json!([filter("PRODUCT", &["*"]), filter("CLASSIFICATION", &["Security", "Bugfix"]), filter("SEVERITY", &["Critical"])]),
            json!({"ApproveAfterDays": 7}),
        );
        let all = rule(json!([]), json!({"ApproveUntilDate": "2026-06-30", "EnableNonSecurity": true}));
        let unsaid = rule(json!([]), json!({"EnableNonSecurity": true}));
        let cases = [
            (json!({}), "nothing"),
            (json!({"ApprovalRules": {"PatchRules": [security]}}), "CLASSIFICATION=Security,Bugfix SEVERITY=Critical after 7 days"),
            (
                json!({"ApprovalRules": {"PatchRules": [all]}, "ApprovedPatches": ["kernel*"]}),
                "every patch, nonsecurity updates too, released up to 2026-06-30; 1 patch by name",
            ),
            (json!({"ApprovalRules": {"PatchRules": [unsaid]}}), "every patch, nonsecurity updates too"),
            (
                json!({"ApprovedPatches": ["a", "b"], "RejectedPatches": ["c"], "GlobalFilters": {"PatchFilters": [filter("PRODUCT", &["X"])]},
                    "Sources": [{"Name": "ours", "Products": ["*"], "Configuration": "baseurl=https://user:secret@repo.example"}]}),
                "2 patches by name; of all that only PRODUCT=X; never 1 patch that it rejects; from ours in place of the system's own repositories",
            ),
        ];
        for (baseline, words) in cases {
            assert_eq!(Approvals::of(&serde_json::from_value(baseline).unwrap()).words(), words);
        }
    }
}
