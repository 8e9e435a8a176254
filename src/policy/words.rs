//! What the words of a plan have to look like, whoever wrote them.

use std::collections::BTreeSet;

/// Says what a text has to be, if it is something else.
pub(super) type Check = fn(&str) -> Result<(), String>;

pub(super) fn must(holds: bool, problem: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(problem()) }
}

/// The length that State Manager takes for either.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateAssociation.html>
const LONGEST_SHARE: usize = 7;

/// A number of nodes or a percentage, as State Manager takes it.
pub(super) fn share(text: &str, least: u32) -> Result<(), String> {
    let (number, most) = text.strip_suffix('%').map_or((text, u32::MAX), |number| (number, 100));
    let is_written_well = is_whole_number(number) && text.len() <= LONGEST_SHARE;
    must(is_written_well && number.parse().is_ok_and(|number: u32| (least..=most).contains(&number)), || {
        format!("{text:?} is neither a number of nodes nor a percentage, in quotes: write '{least}' or more, or '{least}%' to '100%'")
    })
}

pub(super) fn account_id(text: &str) -> Result<(), String> {
    must(text.len() == 12 && is_digits(text), || format!("{text:?} is not an account id: an account id is twelve digits"))
}

pub(super) fn region_name(text: &str) -> Result<(), String> {
    let (words, number) = text.rsplit_once('-').unwrap_or_default();
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    must(words.contains('-') && words.split('-').all(is_word) && is_digits(number), || {
        format!("{text:?} is no Region: write its code, such as eu-central-1")
    })
}

pub(super) fn instance_id(text: &str) -> Result<(), String> {
    must(is_id(text, "i-"), || format!("{text:?} is no instance id: write i- and hexadecimal digits, such as i-0123456789abcdef0"))
}

pub(super) fn baseline_id(text: &str) -> Result<(), String> {
    let id = if text.starts_with("arn:") { text.rsplit('/').next().unwrap_or_default() } else { text };
    must(text == "default" || is_id(id, "pb-"), || format!("{text:?} is no patch baseline: write default, pb-… or an ARN"))
}

fn is_id(text: &str, prefix: &str) -> bool {
    let is_hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.strip_prefix(prefix).is_some_and(|digits| !digits.is_empty() && digits.bytes().all(is_hexadecimal))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn is_whole_number(text: &str) -> bool {
    is_digits(text) && (text == "0" || !text.starts_with('0'))
}

/// Each once, in the order in which they are written.
pub(super) fn unique(written: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    written.into_iter().filter(|one| seen.insert(one.clone())).collect()
}
