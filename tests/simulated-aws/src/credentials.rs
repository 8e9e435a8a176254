//! Access keys that name their account, and session tokens that say of themselves until when they hold. Signatures are not checked.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;

const LONG_TERM: &str = "AKIASIMU";
const TEMPORARY: &str = "ASIASIMU";

/// What a request is signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: Option<String>,
}

/// A session in an assumed role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub account: String,
    pub role: String,
    pub name: String,
    /// Seconds since 1970.
    pub expires: i64,
    /// What the session is limited to, whatever the role may do.
    pub policy: Option<Value>,
}

/// Whose credentials a request carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub account: String,
    pub session: Option<Session>,
}

impl Credentials {
    /// Of a user of the account.
    pub fn of_account(account: &str) -> Self {
        Self { access_key_id: format!("{LONG_TERM}{account}"), secret_access_key: "simulated".to_owned(), session_token: None }
    }

    pub fn of_session(session: &Session) -> Self {
        Self {
            access_key_id: format!("{TEMPORARY}{}", session.account),
            secret_access_key: "simulated".to_owned(),
            session_token: Some(hex(&serde_json::to_vec(session).unwrap_or_default())),
        }
    }
}

/// The identity behind a key and a token; `None` when they are nobody's.
pub(crate) fn identity(access_key_id: &str, session_token: Option<&str>) -> Option<Identity> {
    if let Some(account) = access_key_id.strip_prefix(LONG_TERM) {
        return Some(Identity { account: account.to_owned(), session: None });
    }
    let account = access_key_id.strip_prefix(TEMPORARY)?;
    let session: Session = serde_json::from_slice(&unhex(session_token?)?).ok()?;
    (session.account == account).then(|| Identity { account: account.to_owned(), session: Some(session) })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok().filter(|_| pair.len() == 2)).collect()
}
