//! What AWS says no with: codes, states and documents of each service.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::render::escape;
use crate::wire::{Protocol, Service};

/// An error document, before it is written in the protocol of its service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: String,
    pub message: String,
    pub status: u16,
}

/// Why a request is refused; each service has its own words for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    AccessDenied,
    Throttled,
    InternalError,
    Unavailable,
    ExpiredToken,
    /// Credentials that nobody knows here: of another partition, or in a Region that is off.
    BadCredentials,
    UnknownOperation,
    BadToken,
    BadParameter,
    NotFound,
}

impl Refusal {
    pub fn new(code: impl Into<String>, status: u16, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), status }
    }

    /// In the words of the service, as IAM writes its name.
    pub fn of(service: &str, trouble: Trouble, message: impl Into<String>) -> Self {
        let (code, status) = words(service, trouble);
        let message: String = message.into();
        let message = if message.is_empty() { usual(trouble).to_owned() } else { message };
        Self::new(code, status, message)
    }

    /// The document, and the header that names the error in JSON's protocols.
    pub fn document(&self, service: &Service, request_id: &str) -> String {
        let Self { code, message, status } = self;
        if !service.protocol.is_xml() {
            return match service.protocol {
                Protocol::RestJson => json!({"message": message}).to_string(),
                // Newer services write "Message" and older ones "message"; Organizations is one of the former.
                _ if service.name == "organizations" => json!({"__type": code, "Message": message}).to_string(),
                _ => json!({"__type": code, "message": message}).to_string(),
            };
        }
        let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
        let mut inner = "<Code>".to_owned();
        escape(&mut inner, code);
        inner.push_str("</Code><Message>");
        escape(&mut inner, message);
        inner.push_str("</Message>");
        let _ = if service.protocol == Protocol::Ec2 {
            write!(text, "<Response><Errors><Error>{inner}</Error></Errors><RequestID>{request_id}</RequestID></Response>")
        } else if service.name == "s3" {
            write!(text, "<Error>{inner}<RequestId>{request_id}</RequestId></Error>")
        } else {
            let kind = if *status < 500 { "Sender" } else { "Receiver" };
            let namespace = service.namespace.as_deref().unwrap_or_default();
            write!(
                text,
                "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{kind}</Type>{inner}</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
            )
        };
        text
    }
}

/// Codes: <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-errors.html> and the "Common errors" of each API reference.
fn words(service: &str, trouble: Trouble) -> (&'static str, u16) {
    use Trouble as T;
    match (service, trouble) {
        ("ec2", T::AccessDenied) => ("UnauthorizedOperation", 403),
        ("ec2", T::Throttled) => ("RequestLimitExceeded", 503),
        ("ec2" | "s3", T::InternalError) => ("InternalError", 500),
        ("ec2", T::Unavailable) => ("Unavailable", 503),
        ("ec2", T::ExpiredToken) => ("RequestExpired", 400),
        ("ec2", T::BadCredentials) => ("AuthFailure", 401),
        ("ec2" | "ssm", T::BadToken) => ("InvalidNextToken", 400),
        ("ec2", T::BadParameter) => ("InvalidParameterValue", 400),
        ("s3", T::Throttled) => ("SlowDown", 503),
        ("s3", T::ExpiredToken) => ("ExpiredToken", 400),
        ("s3", T::BadCredentials) => ("InvalidAccessKeyId", 403),
        ("s3", T::UnknownOperation) => ("MethodNotAllowed", 405),
        ("s3", T::BadToken | T::BadParameter) => ("InvalidArgument", 400),
        ("s3", T::NotFound) => ("NoSuchBucket", 404),
        ("iam" | "sts" | "route53" | "s3", T::AccessDenied) => ("AccessDenied", 403),
        ("iam" | "sts" | "route53", T::Throttled) => ("Throttling", 400),
        ("iam", T::InternalError) => ("ServiceFailure", 500),
        ("sts" | "route53", T::InternalError) => ("InternalFailure", 500),
        ("iam" | "sts" | "route53" | "s3", T::Unavailable) => ("ServiceUnavailable", 503),
        ("iam" | "sts" | "route53", T::ExpiredToken) => ("ExpiredToken", 403),
        ("iam" | "sts" | "route53", T::BadCredentials) => ("InvalidClientTokenId", 403),
        ("ec2" | "iam" | "sts" | "route53", T::UnknownOperation) => ("InvalidAction", 400),
        ("route53", T::BadToken) => ("InvalidPaginationToken", 400),
        ("route53", T::BadParameter) => ("InvalidInput", 400),
        ("route53", T::NotFound) => ("NoSuchHostedZone", 404),
        ("iam" | "sts", T::BadToken | T::BadParameter) => ("ValidationError", 400),
        ("iam", T::NotFound) => ("NoSuchEntity", 404),
        ("organizations", T::Throttled) => ("TooManyRequestsException", 400),
        ("organizations", T::InternalError) => ("ServiceException", 500),
        ("organizations", T::BadToken | T::BadParameter) => ("InvalidInputException", 400),
        ("organizations", T::NotFound) => ("ParentNotFoundException", 400),
        ("ssm-quicksetup" | "route53profiles", T::AccessDenied) => ("AccessDeniedException", 403),
        ("ssm-quicksetup" | "route53profiles", T::Throttled) => ("ThrottlingException", 429),
        ("ssm-quicksetup", T::InternalError) => ("InternalServerException", 500),
        ("ssm-quicksetup" | "route53profiles", T::ExpiredToken) => ("ExpiredTokenException", 403),
        ("ssm-quicksetup" | "route53profiles", T::BadCredentials) => ("UnrecognizedClientException", 403),
        ("ssm-quicksetup" | "route53profiles", T::UnknownOperation) => ("UnknownOperationException", 404),
        ("ssm-quicksetup" | "route53profiles", T::NotFound) => ("ResourceNotFoundException", 404),
        ("resource-groups", T::AccessDenied) => ("ForbiddenException", 403),
        ("resource-groups", T::Throttled) => ("TooManyRequestsException", 429),
        ("resource-groups", T::InternalError) => ("InternalServerErrorException", 500),
        ("resource-groups", T::BadParameter) => ("BadRequestException", 400),
        ("resource-groups", T::NotFound) => ("NotFoundException", 404),
        ("ssm", T::NotFound) => ("DoesNotExistException", 400),
        ("route53resolver" | "route53profiles", T::BadToken) => ("InvalidNextTokenException", 400),
        ("route53resolver" | "route53profiles", T::InternalError) => ("InternalServiceErrorException", 500),
        (_, T::AccessDenied) => ("AccessDeniedException", 400),
        (_, T::Throttled) => ("ThrottlingException", 400),
        (_, T::InternalError) => ("InternalServerError", 500),
        (_, T::Unavailable) => ("ServiceUnavailableException", 503),
        (_, T::ExpiredToken) => ("ExpiredTokenException", 400),
        (_, T::BadCredentials) => ("UnrecognizedClientException", 400),
        (_, T::UnknownOperation) => ("UnknownOperationException", 400),
        (_, T::BadToken | T::BadParameter) => ("ValidationException", 400),
        (_, T::NotFound) => ("ResourceNotFoundException", 400),
    }
}

fn usual(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::AccessDenied => "You are not authorized to perform this operation.",
        Trouble::Throttled => "Rate exceeded",
        Trouble::InternalError => "An internal error has occurred",
        Trouble::Unavailable => "The service is temporarily unavailable.",
        Trouble::ExpiredToken => "The security token included in the request is expired",
        Trouble::BadCredentials => "The security token included in the request is invalid.",
        Trouble::UnknownOperation => "The action is not valid for this web service.",
        Trouble::BadToken => "The specified pagination token is not valid.",
        Trouble::BadParameter => "A parameter is not valid.",
        Trouble::NotFound => "The resource does not exist.",
    }
}
