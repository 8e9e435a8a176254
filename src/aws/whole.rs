//! Answers that break off. The SDK's XML reader takes the end of a body for the end of the last list, and its JSON reader takes an
//! empty body for an empty answer, so that half of a list, or none of it, would count as all there is.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Refuses a successful answer whose document is not whole.
#[derive(Debug)]
pub(super) struct Whole;

#[dyn_dispatch_hint]
impl Intercept for Whole {
    fn name(&self) -> &'static str {
        "Whole"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let is_broken = response.status().is_success() && response.body().bytes().is_some_and(|body| !is_whole(body));
        if is_broken { Err("the answer breaks off".into()) } else { Ok(()) }
    }
}

/// Whether a body is an XML document that ends with its outermost element, or a JSON object.
fn is_whole(body: &[u8]) -> bool {
    let text = body.trim_ascii();
    let Some(mut rest) = text.strip_prefix(b"<") else { return text.starts_with(b"{") && text.ends_with(b"}") };
    if rest.starts_with(b"?") {
        // Past the declaration.
        let Some(at) = rest.iter().position(|byte| *byte == b'<') else { return false };
        rest = rest.get(at + 1..).unwrap_or_default();
    }
    let root: Vec<u8> = rest.iter().copied().take_while(|byte| !byte.is_ascii_whitespace() && !b"/>".contains(byte)).collect();
    text.ends_with(&[b"</", root.as_slice(), b">"].concat())
}

#[cfg(test)]
mod tests {
    use super::is_whole;

    #[test]
    fn documents_that_break_off() {
        let cases = [
            ("<?xml version=\"1.0\"?>\n<DescribeVpcsResponse xmlns=\"x\"><vpcSet/></DescribeVpcsResponse>\n", true),
            ("<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>", true),
            ("<?xml version=\"1.0\"?><DescribeVpcsResponse><vpcSet><item>", false),
            ("<?xml version=\"1.0\"?>", false),
            ("{}", true),
            ("{\"Parameters\": [", false),
            ("", false),
            ("<!DOCTYPE html><html></html>", false),
        ];
        for (body, expected) in cases {
            assert_eq!(is_whole(body.as_bytes()), expected, "{body}");
        }
    }
}
