//! Pages: AWS's bounds of their sizes, and tokens that only the server can read.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::{Value, json};

use crate::answer::{Parameters, Question};
use crate::credentials::{hex, unhex};
use crate::refusal::{Refusal, Trouble};
use crate::render::{Body, Part};
use crate::request::Call;
use crate::store::text;
use crate::wire::Pages;

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Counted from 1.
    pub page: u32,
    pub start: usize,
    /// The digest of the question that the token belongs to; 0 on the first page.
    digest: u64,
}

impl Place {
    pub(crate) const FIRST: Self = Self { page: 1, start: 0, digest: 0 };
}

/// The place that the request's token names; `None` when it is no token of ours.
pub(crate) fn place(call: &Call<'_>) -> Option<Place> {
    let Some(pages) = &call.operation.pages else { return Some(Place::FIRST) };
    let token = pages.token_in.first().and_then(|name| call.input.get(name)).and_then(Value::as_str);
    match token {
        None => Some(Place::FIRST),
        // Records go on at a name; which page that is, nobody can tell.
        Some(_) if pages.token_in.len() > 1 => Some(Place { page: 2, start: 0, digest: 0 }),
        Some(token) => {
            let text = String::from_utf8(unhex(token)?).ok()?;
            let mut parts = text.split('|');
            let page = parts.next()?.parse().ok()?;
            let start = parts.next()?.parse().ok()?;
            Some(Place { page, start, digest: parts.next()?.parse().ok()? })
        }
    }
}

fn token(place: Place) -> String {
    hex(format!("{}|{}|{}", place.page, place.start, place.digest).as_bytes())
}

/// Cuts the lists of an answer to the page that was asked for.
pub(crate) fn cut<'a>(question: &Question<'a>, pages: &Pages, parameters: &Parameters<'a>, body: Body<'a>) -> Result<Body<'a>, Refusal> {
    let size = size(question, pages, parameters)?;
    if pages.token_in.len() > 1 {
        return records(question, pages, parameters, body, size);
    }
    pages.token_in.iter().for_each(|name| {
        parameters.take(name);
    });
    let digest = digest(question, pages);
    if question.place.page > 1 && question.place.digest != digest {
        return Err(question.refuse(Trouble::BadToken, ""));
    }
    let is_empty = question.weather.empty_pages && question.place == Place::FIRST && may_be_empty(question);
    let (start, size) = (question.place.start, if is_empty { 0 } else { size });
    let end = start.saturating_add(size);
    let mut longest = 0;
    let mut cut = Body::new();
    for (name, part) in body {
        let part = if pages.members.iter().any(|member| *member == name) {
            let (part, length) = slice(part, start, end);
            longest = longest.max(length);
            part
        } else {
            part
        };
        cut.push((name, part));
    }
    let has_more = end < longest;
    if let (true, Some(name)) = (has_more, pages.token_out.first()) {
        let next = Place { page: question.place.page + 1, start: end, digest };
        let next = if question.repeats_token { question.place } else { next };
        cut.push((name.clone().into(), Value::from(token(Place { digest, ..next })).into()));
    }
    if let Some(name) = &pages.more {
        cut.push((name.clone().into(), Value::from(has_more).into()));
    }
    if question.call.service.name == "route53" {
        cut.push(("MaxItems".into(), Value::from(size.to_string()).into()));
    }
    Ok(cut)
}

/// How many items a page has.
fn size(question: &Question<'_>, pages: &Pages, parameters: &Parameters<'_>) -> Result<usize, Refusal> {
    let most_given = question.weather.page_limit.unwrap_or(usize::MAX);
    let most = pages.most.unwrap_or(usize::MAX);
    let Some(asked) = parameters.number(&pages.size) else {
        // EC2 gives whole lists to whoever names no size.
        return Ok(if question.call.service.name == "ec2" { most_given } else { most.min(most_given) });
    };
    match usize::try_from(asked) {
        Ok(asked) if (pages.least.unwrap_or(1)..=most).contains(&asked) => Ok(asked.min(most_given)),
        _ => {
            let (least, most) = (pages.least.unwrap_or(1), pages.most.unwrap_or(1000));
            let message = if question.call.service.name == "ec2" {
                format!("Value ( {asked} ) for parameter maxResults is invalid. Expecting a value between {least} and {most}.")
            } else {
                format!(
                    "1 validation error detected: Value '{asked}' at '{}' failed to satisfy constraint: between {least} and {most}",
                    pages.size
                )
            };
            Err(question.refuse(Trouble::BadParameter, message))
        }
    }
}

fn slice(part: Part<'_>, start: usize, end: usize) -> (Part<'_>, usize) {
    match part {
        Part::List(items) => {
            let cut = items.iter().copied().take(end).skip(start).collect();
            (Part::List(cut), items.len())
        }
        Part::Value(value) => match value.as_ref() {
            Value::Array(items) => {
                let cut: Vec<Value> = items.iter().take(end).skip(start).cloned().collect();
                (Value::Array(cut).into(), items.len())
            }
            _ => (Part::Value(value), 0),
        },
    }
}

/// Services that document pages which are empty and yet not the last.
fn may_be_empty(question: &Question<'_>) -> bool {
    ["organizations", "ssm", "ssm-quicksetup"].contains(&question.call.service.name.as_str())
}

/// Ties a token to its question: the account, the Region, the operation and all parameters but the token and the size.
fn digest(question: &Question<'_>, pages: &Pages) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&question.identity.account, question.region, question.name()).hash(&mut hasher);
    for (name, value) in &question.call.input {
        if *name != pages.size && !pages.token_in.contains(name) {
            (name, value.to_string()).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// Route 53's records go on at a name, a type and a set identifier instead of a token.
fn records<'a>(
    question: &Question<'a>,
    pages: &Pages,
    parameters: &Parameters<'a>,
    body: Body<'a>,
    size: usize,
) -> Result<Body<'a>, Refusal> {
    const KEYS: [&str; 3] = ["Name", "Type", "SetIdentifier"];
    let wanted: Vec<Option<&str>> = pages.token_in.iter().map(|name| parameters.text(name)).collect();
    let Some((name, Part::List(items))) = body.into_iter().next() else { return Err(question.refuse(Trouble::InternalError, "")) };
    let is_start = |record: &Value| {
        KEYS.iter()
            .zip(&wanted)
            .all(|(key, wanted)| wanted.is_none_or(|wanted| text(record, key).is_some_and(|given| same_name(given, wanted))))
    };
    let start = match wanted.first() {
        Some(Some(_)) => {
            items.iter().position(|record| is_start(record)).ok_or_else(|| question.refuse(Trouble::BadParameter, "no such record"))?
        }
        _ => 0,
    };
    let next = items.get(start.saturating_add(size)).copied();
    let page: Vec<&Value> = items.into_iter().skip(start).take(size).collect();
    let mut cut = vec![
        (name, Part::List(page)),
        ("IsTruncated".into(), json!(next.is_some()).into()),
        ("MaxItems".into(), json!(size.to_string()).into()),
    ];
    for (key, name) in KEYS.iter().zip(&pages.token_out) {
        if let Some(value) = next.and_then(|next| next.get(*key)) {
            cut.push((name.clone().into(), value.into()));
        }
    }
    Ok(cut)
}

/// Names of DNS do not mind the dot at their end.
fn same_name(left: &str, right: &str) -> bool {
    left.trim_end_matches('.').eq_ignore_ascii_case(right.trim_end_matches('.'))
}
