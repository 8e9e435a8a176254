//! The protocols whose ports rules tell apart (<https://www.iana.org/assignments/protocol-numbers>).

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Protocol {
    Tcp,
    /// Names are asked for by it.
    Udp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        })
    }
}

impl Protocol {
    /// Whether a rule's word is about it alone.
    pub(super) fn is(self, word: &str) -> bool {
        let (number, name) = match self {
            Self::Tcp => ("6", "tcp"),
            Self::Udp => ("17", "udp"),
        };
        word == number || word.eq_ignore_ascii_case(name)
    }
}
