//! Weather: what goes wrong on purpose, and how fast AWS is. Set when the server starts, or while it runs.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::rates::Buckets;
use crate::refusal::{Refusal, Trouble};

/// Fair by default: no faults, no waiting, whole pages, every role can be assumed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Weather {
    /// Of everything that is left to chance.
    pub seed: u64,
    pub latency: Option<Latency>,
    /// Whether requests are counted against AWS's published rates.
    pub rates: bool,
    /// No list gives larger pages than this, whatever is asked for.
    pub page_limit: Option<usize>,
    /// The first page is empty and not the last, where AWS documents that this may be.
    pub empty_pages: bool,
    pub trust: Trust,
    /// The first one that matches a call befalls it.
    pub faults: Vec<Fault>,
}

/// How long AWS thinks about each call, in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    pub least: u64,
    /// Up to this much more, evenly spread.
    pub spread: u64,
    /// One call in so many takes `slow` instead; 0 for none.
    pub one_in: u64,
    pub slow: u64,
}

/// Which roles can be assumed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trust {
    /// With their paths; every role when nothing is said.
    pub roles: Option<Vec<String>>,
    pub external_id: Option<String>,
    pub refusing_accounts: Vec<String>,
    /// How long sessions really last, whatever was asked for.
    pub session_seconds: Option<i64>,
}

/// Something that goes wrong with the calls that it matches.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    pub account: Option<String>,
    pub region: Option<String>,
    /// As IAM writes it, `ssm:GetInventory`; `ssm:*` for a service.
    pub operation: Option<String>,
    /// Counted from 1.
    pub page: Option<u32>,
    /// The first of the matching calls that goes wrong, counted from 1.
    pub nth: Option<u32>,
    /// How many go wrong from there on; all of them when nothing is said.
    pub times: Option<u32>,
    /// Of each call that would go wrong.
    pub probability: Option<f64>,
    pub kind: Kind,
}

/// What goes wrong. In JSON `"half_body"`, or `{"slow_body": {"milliseconds": 500}}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// In the words of the service.
    Refuse {
        trouble: Trouble,
    },
    /// A service control policy denies it.
    ScpDenied,
    Error {
        code: String,
        status: u16,
        message: String,
    },
    /// A status without a document, as load balancers give it.
    GatewayTimeout,
    #[default]
    Reset,
    /// The connection ends after half of what was announced.
    HalfBody,
    /// The body takes this long.
    SlowBody {
        milliseconds: u64,
    },
    /// Nothing is said for so long, and then the connection ends.
    NoAnswer {
        milliseconds: u64,
    },
    EmptyBody,
    /// XML or JSON that breaks off, in a body of the right length.
    Truncated,
    /// The same, and then something that is neither.
    Malformed,
    /// An HTML page with status 500.
    HtmlError,
    /// An HTML page with status 200, as captive portals give it.
    HtmlPage,
    /// Every value of an enumeration is one that the models do not list.
    UnknownEnums,
    /// Every structure has a member that the models do not list.
    UnknownMembers,
    /// The next page's token is this page's, for ever.
    RepeatedToken,
}

impl Kind {
    /// The document that is sent instead of an answer.
    pub fn refusal(&self, operation: &str) -> Option<Refusal> {
        let service = operation.split(':').next().unwrap_or_default();
        match self {
            Self::Refuse { trouble } => Some(Refusal::of(service, *trouble, "")),
            Self::ScpDenied => {
                let message = format!(
                    "You are not authorized to perform this operation. User: arn:aws:sts::000000000000:assumed-role/R/s is not authorized to perform: {operation} with an explicit deny in a service control policy"
                );
                Some(Refusal::of(service, Trouble::AccessDenied, message))
            }
            Self::Error { code, status, message } => Some(Refusal::new(code, *status, message)),
            Self::GatewayTimeout => Some(Refusal::new("", 504, "")),
            _ => None,
        }
    }

    /// The word for it.
    pub fn name(&self) -> String {
        match serde_json::to_value(self).unwrap_or_default() {
            serde_json::Value::Object(members) => members.keys().next().cloned().unwrap_or_default(),
            value => value.as_str().unwrap_or_default().to_owned(),
        }
    }
}

/// The weather with what has passed of it.
#[derive(Debug)]
pub(crate) struct Sky {
    pub(crate) weather: Weather,
    /// How many calls each fault has matched.
    matched: Vec<AtomicU32>,
    drawn: AtomicU64,
    pub(crate) buckets: Buckets,
}

/// Who asks what: what faults go by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) page: u32,
}

impl Sky {
    pub(crate) fn new(weather: Weather) -> Self {
        let matched = weather.faults.iter().map(|_| AtomicU32::new(0)).collect();
        Self { weather, matched, drawn: AtomicU64::new(0), buckets: Buckets::default() }
    }

    pub(crate) fn latency(&self) -> Option<Duration> {
        let latency = self.weather.latency?;
        let is_slow = latency.one_in > 0 && self.draw().is_multiple_of(latency.one_in);
        let wait = if is_slow { latency.slow } else { latency.least + self.draw() % latency.spread.saturating_add(1) };
        Some(Duration::from_millis(wait))
    }

    pub(crate) fn fault(&self, asked: Asked<'_>) -> Option<&Kind> {
        let mut faults = self.weather.faults.iter().zip(&self.matched);
        faults.find(|(fault, matched)| self.befalls(fault, matched, asked)).map(|(fault, _)| &fault.kind)
    }

    fn befalls(&self, fault: &Fault, matched: &AtomicU32, asked: Asked<'_>) -> bool {
        let is = |wanted: Option<&String>, given: &str| wanted.is_none_or(|wanted| wanted == given);
        let names = |wanted: &str| wanted.strip_suffix('*').map_or(wanted == asked.operation, |start| asked.operation.starts_with(start));
        let is_meant = is(fault.account.as_ref(), asked.account)
            && is(fault.region.as_ref(), asked.region)
            && fault.operation.as_deref().is_none_or(names)
            && fault.page.is_none_or(|page| page == asked.page);
        if !is_meant {
            return false;
        }
        let count = matched.fetch_add(1, Ordering::Relaxed) + 1;
        let first = fault.nth.unwrap_or(1);
        let is_due = count >= first && fault.times.is_none_or(|times| count < first.saturating_add(times));
        is_due && fault.probability.is_none_or(|probability| self.chance() < probability)
    }

    /// Between 0 and 1.
    fn chance(&self) -> f64 {
        let parts = u32::try_from(self.draw() % 1_000_000).unwrap_or_default();
        f64::from(parts) / 1_000_000.0
    }

    /// The next number of the seed's sequence (`SplitMix64`).
    fn draw(&self) -> u64 {
        let at = self.drawn.fetch_add(1, Ordering::Relaxed).wrapping_add(self.weather.seed);
        crate::random::mix(at)
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Fault, Kind, Sky, Trouble, Weather};

    const ASKED: Asked<'_> = Asked { account: "1", region: "eu-west-1", operation: "ssm:GetInventory", page: 2 };

    #[test]
    fn weather_is_written_as_json() {
        let text = r#"{"latency": {"least": 20}, "faults": [{"operation": "ssm:*", "page": 2, "kind": {"refuse": {"trouble": "throttled"}}},
            {"kind": "half_body", "probability": 0.5}, {"kind": {"slow_body": {"milliseconds": 5}}}]}"#;
        let weather: Weather = serde_json::from_str(text).unwrap();
        assert_eq!(weather.faults.iter().map(|fault| fault.kind.name()).collect::<Vec<_>>(), ["refuse", "half_body", "slow_body"]);
        assert_eq!(Sky::new(weather).fault(ASKED), Some(&Kind::Refuse { trouble: Trouble::Throttled }));
        assert!(serde_json::from_str::<Weather>(r#"{"faults": [{"kind": "reset", "regoin": "eu-west-1"}]}"#).is_err());
    }

    #[test]
    fn faults_are_counted() {
        let fault = Fault { operation: Some("ssm:GetInventory".into()), nth: Some(2), times: Some(2), ..Fault::default() };
        let sky = Sky::new(Weather { faults: vec![fault], ..Weather::default() });
        let befallen: Vec<bool> = (0..5).map(|_| sky.fault(ASKED).is_some()).collect();
        assert_eq!(befallen, [false, true, true, false, false]);
        assert!(sky.fault(Asked { operation: "ssm:ListAssociations", ..ASKED }).is_none());
    }

    #[test]
    fn chance_follows_the_seed() {
        let draw = |seed| {
            let fault = Fault { probability: Some(0.3), ..Fault::default() };
            let sky = Sky::new(Weather { seed, faults: vec![fault], ..Weather::default() });
            (0..1000).filter(|_| sky.fault(ASKED).is_some()).count()
        };
        assert_eq!(draw(7), draw(7));
        assert!((250..350).contains(&draw(7)), "{}", draw(7));
    }
}
