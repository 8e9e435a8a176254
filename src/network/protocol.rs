//! The protocols whose ports rules tell apart (<https://www.iana.org/assignments/protocol-numbers>).

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Tcp,
    /// Names are asked for by it.
    Udp,
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
