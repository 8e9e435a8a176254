//! From whatever a call ended with to the reason of a gap.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::snapshot::{GapReason, redact};

/// Why one call gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) reason: GapReason,
    /// AWS's name for the error, where the answer held one.
    pub(super) code: Option<String>,
    /// What AWS said, secrets removed.
    pub(super) message: String,
    pub(super) request_id: Option<String>,
}

impl Refusal {
    pub(super) fn new(reason: GapReason, message: impl AsRef<str>) -> Self {
        Self { reason, code: None, message: redact::message(message.as_ref()), request_id: None }
    }

    pub(super) fn has_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// From any error of the SDK: one that AWS sent, one of the network, or an answer that cannot be read.
    pub(super) fn from_sdk<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let response = error.raw_response();
        let status = response.map(|response| response.status().as_u16());
        let request_id = response.and_then(|response| {
            let names = ["x-amzn-requestid", "x-amzn-request-id", "x-amz-request-id"];
            names.iter().find_map(|name| response.headers().get(*name)).map(str::to_owned)
        });
        let (code, said) = match error {
            SdkError::ServiceError(service) => (service.err().code(), service.err().message()),
            _ => (None, None),
        };
        // A load balancer may name the header of the error and leave it empty.
        let code = code.filter(|code| !code.is_empty());
        let trouble = match error {
            SdkError::TimeoutError(_) => Trouble::Timeout,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Trouble::Timeout,
            SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => Trouble::Unsent,
            _ => Trouble::Answer { code, status },
        };
        let context = readable(&DisplayErrorContext(error).to_string());
        let detail = said.unwrap_or(&context);
        let message = match (code, status) {
            (Some(code), _) => format!("{code}: {detail}"),
            (None, Some(status)) => format!("HTTP {status}: {context}"),
            (None, None) => context,
        };
        Self { reason: classify(&trouble, &message), code: code.map(str::to_owned), message: redact::message(&message), request_id }
    }
}

/// How a call failed, as far as its reason goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble<'a> {
    Answer {
        code: Option<&'a str>,
        status: Option<u16>,
    },
    Timeout,
    /// The request never reached AWS: no address, no connection, no credentials.
    Unsent,
}

/// What the SDK prints after the text is its own insides, with the headers and the body of the answer.
fn readable(context: &str) -> String {
    const INSIDES: [&str; 5] = [" (ConstructionFailure(", " (TimeoutError(", " (DispatchFailure(", " (ResponseError(", " (ServiceError("];
    let end = INSIDES.iter().filter_map(|start| context.find(start)).min();
    end.and_then(|end| context.get(..end)).unwrap_or(context).to_owned()
}

pub(super) fn classify(trouble: &Trouble<'_>, message: &str) -> GapReason {
    let (code, status) = match *trouble {
        Trouble::Timeout => return GapReason::Timeout,
        Trouble::Unsent if names_no_host(message) => return GapReason::Unsupported,
        Trouble::Unsent => return GapReason::Error,
        Trouble::Answer { code, status } => (code.unwrap_or_default(), status),
    };
    if is_throttling_code(code) || status == Some(429) {
        return GapReason::Throttled;
    }
    match code {
        "UnrecognizedClientException" | "AuthFailure" | "InvalidClientTokenId" | "OptInRequired" => GapReason::RegionDisabled,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "AuthorizationError" | "NotAuthorized"
        // Resource Groups.
        | "ForbiddenException" => {
            if message.contains("explicit deny in a service control policy") { GapReason::ScpDenied } else { GapReason::AccessDenied }
        }
        "UnknownOperation" | "UnknownOperationException" | "InvalidAction" | "UnsupportedOperation" | "ServiceSettingNotFound" => {
            GapReason::Unsupported
        }
        "RequestTimeout" | "RequestTimeoutException" => GapReason::Timeout,
        _ if code.is_empty() && status == Some(504) => GapReason::Timeout,
        _ => GapReason::Error,
    }
}

/// A service that is not offered in a Region has no host name there.
fn names_no_host(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["dns error", "failed to lookup address", "no such host", "name or service not known"].iter().any(|words| message.contains(words))
}

/// AWS's names for "too many requests", over all services that are asked.
pub(super) fn is_throttling_code(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "RequestLimitExceeded"
            | "TooManyRequestsException"
            | "BandwidthLimitExceeded"
            | "PriorRequestNotComplete"
            | "SlowDown"
            | "EC2ThrottledException"
            | "LimitExceededException"
    )
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
    use aws_smithy_runtime_api::client::result::SdkError;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};

    use super::{Refusal, Trouble, classify};
    use crate::snapshot::GapReason;

    #[derive(Debug, thiserror::Error)]
    #[error("service error")]
    struct Service(ErrorMetadata);

    impl ProvideErrorMetadata for Service {
        fn meta(&self) -> &ErrorMetadata {
            &self.0
        }
    }

    #[test]
    fn reasons() {
        let denied = "User: arn:aws:sts::1:assumed-role/R/s is not authorized to perform: ec2:DescribeVpcs";
        let by_scp = "not authorized to perform: ec2:DescribeVpcs with an explicit deny in a service control policy";
        let cases = [
            (Some("UnauthorizedOperation"), Some(403), denied, GapReason::AccessDenied),
            (Some("UnauthorizedOperation"), Some(403), by_scp, GapReason::ScpDenied),
            (Some("AccessDeniedException"), Some(400), by_scp, GapReason::ScpDenied),
            (Some("ForbiddenException"), Some(403), denied, GapReason::AccessDenied),
            (Some("AuthFailure"), Some(401), "AWS was not able to validate the provided access credentials", GapReason::RegionDisabled),
            (Some("UnrecognizedClientException"), Some(400), "", GapReason::RegionDisabled),
            (Some("RequestLimitExceeded"), Some(503), "Request limit exceeded.", GapReason::Throttled),
            (Some("ThrottlingException"), Some(400), "Rate exceeded", GapReason::Throttled),
            (None, Some(429), "", GapReason::Throttled),
            (Some("UnknownOperationException"), Some(400), "", GapReason::Unsupported),
            (Some("ServiceSettingNotFound"), Some(400), "", GapReason::Unsupported),
            (None, Some(500), "<!doctype html>", GapReason::Error),
            (Some("InternalError"), Some(500), "", GapReason::Error),
            (None, Some(504), "", GapReason::Timeout),
        ];
        for (code, status, message, expected) in cases {
            assert_eq!(classify(&Trouble::Answer { code, status }, message), expected, "{code:?} {status:?}");
        }
        assert_eq!(classify(&Trouble::Timeout, ""), GapReason::Timeout);
        assert_eq!(classify(&Trouble::Unsent, "dns error: failed to lookup address information"), GapReason::Unsupported);
        assert_eq!(classify(&Trouble::Unsent, "connection refused"), GapReason::Error);
    }

    #[test]
    fn the_message_is_awss_own_and_holds_no_secret() {
        let metadata =
            ErrorMetadata::builder().code("UnauthorizedOperation").message(format!("Encoded message: {}", "aB3".repeat(40))).build();
        let mut response = HttpResponse::new(StatusCode::try_from(403).unwrap(), SdkBody::empty());
        response.headers_mut().insert("x-amzn-requestid", "1234-abcd");
        let refusal = Refusal::from_sdk(&SdkError::service_error(Service(metadata), response));
        assert_eq!(refusal.message, "UnauthorizedOperation: Encoded message: [removed]");
        assert_eq!(refusal.reason, GapReason::AccessDenied);
        assert_eq!(refusal.request_id.as_deref(), Some("1234-abcd"));
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_told_with_its_status() {
        let response = HttpResponse::new(StatusCode::try_from(500).unwrap(), SdkBody::from("<!doctype html><title>500</title>"));
        let error: SdkError<Service, HttpResponse> = SdkError::response_error("invalid XML", response);
        let refusal = Refusal::from_sdk(&error);
        assert_eq!(refusal.reason, GapReason::Error);
        assert_eq!(refusal.message, "HTTP 500: response error: invalid XML");
    }
}
