//! Removes from AWS's error messages what must not be kept: credentials, tokens, encoded authorization messages.

const LONGEST_MESSAGE: usize = 500;

/// The message on one line, without secrets, cut to a readable length.
pub fn message(text: &str) -> String {
    let mut words = Vec::new();
    for word in text.split_whitespace() {
        words.push(if is_secret(word) { "[removed]" } else { word });
    }
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// Access key ids, and any long run of base64 or hexadecimal that is no ARN and no URL: session tokens, signatures and
/// EC2's "Encoded authorization failure message".
fn is_secret(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let is_key_id = bare.len() >= 16 && ["AKIA", "ASIA"].iter().any(|prefix| bare.starts_with(prefix));
    let encoded = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '-' | '_' | '%');
    let is_long_blob = bare.len() >= 60 && bare.chars().all(encoded);
    is_key_id || is_long_blob
}

#[cfg(test)]
mod tests {
    use super::message;

    #[test]
    fn secrets_go_and_what_helps_stays() {
        let blob = "a1B2".repeat(30);
        let cases = [
            (
                "User: arn:aws:sts::111111111111:assumed-role/R/s is not authorized",
                "User: arn:aws:sts::111111111111:assumed-role/R/s is not authorized",
            ),
            ("key ASIAIOSFODNN7EXAMPLE expired", "key [removed] expired"),
            (&format!("Encoded authorization failure message: {blob}"), "Encoded authorization failure message: [removed]"),
            ("two\n lines", "two lines"),
        ];
        for (given, expected) in cases {
            assert_eq!(message(given), expected);
        }
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let cut = message(&"ä ".repeat(600));
        assert!(cut.ends_with('…') && cut.chars().count() == 501, "{cut}");
    }
}
