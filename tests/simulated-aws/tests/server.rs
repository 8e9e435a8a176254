//! The server over plain sockets: what it refuses, how lists come in pages, the record and the control path.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that meets the unexpected must stop")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use simulated_aws::generate::{Size, organization};
use simulated_aws::{Credentials, Server, Store, Trust, Weather};

/// The member account and the Region that hold twelve instances.
const ACCOUNT: &str = "100000000011";
const REGION: &str = "us-east-1";

fn server(weather: Weather) -> Server {
    let folder = tempfile::tempdir().unwrap();
    organization(1, &Size { accounts: 2, regions: 1, instances: 12 }).write(&folder.path().join("served")).unwrap();
    Server::start(Store::read(&folder.path().join("served")).unwrap(), weather).unwrap()
}

fn exchange(server: &Server, head: &str, body: &str) -> (u16, String) {
    let address = server.endpoint().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, content) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), content.to_owned())
}

fn signature(service: &str, region: &str) -> String {
    let key = Credentials::of_account(ACCOUNT).access_key_id;
    format!("Authorization: AWS4-HMAC-SHA256 Credential={key}/20261123/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0")
}

fn ec2(server: &Server, region: &str, form: &str) -> (u16, String) {
    let head = format!("POST / HTTP/1.1\r\n{}", signature("ec2", region));
    exchange(server, &head, &format!("Version=2016-11-15&Action={form}"))
}

fn ssm(server: &Server, action: &str, input: &Value) -> (u16, Value) {
    let head = format!("POST / HTTP/1.1\r\nX-Amz-Target: AmazonSSM.{action}\r\n{}", signature("ssm", REGION));
    let (status, text) = exchange(server, &head, &input.to_string());
    (status, serde_json::from_str(&text).unwrap())
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    Some(text.split_once(start)?.1.split_once(end)?.0)
}

#[test]
fn what_it_does_not_honour_it_refuses() {
    let server = server(Weather::default());
    let cases = [
        (REGION, "DescribeInstances&MaxResults=4", "InvalidParameterValue"),
        (REGION, "DescribeRouteTables&MaxResults=101", "InvalidParameterValue"),
        (REGION, "DescribeVpcs&Filter.1.Name=state&Filter.1.Value.1=available", "InvalidParameterValue"),
        (REGION, "DescribeVpcs&VpcId.1=vpc-1", "InvalidVpcID.NotFound"),
        (REGION, "DescribeInstances&NextToken=abc", "InvalidNextToken"),
        (REGION, "DescribeInstances&InstanceId.1=i-1&MaxResults=5", "InvalidParameterCombination"),
        (REGION, "TerminateInstances&InstanceId.1=i-1", "InvalidAction"),
        ("ap-east-1", "DescribeInstances", "AuthFailure"),
    ];
    for (region, form, code) in cases {
        let (status, text) = ec2(&server, region, form);
        assert_eq!((between(&text, "<Code>", "</Code>"), status >= 400), (Some(code), true), "{form}: {text}");
    }
    let (status, error) = ssm(&server, "DescribeInstanceInformation", &json!({"MaxResults": 51}));
    assert_eq!((status, error["__type"].as_str()), (400, Some("ValidationException")));
    let (_, error) = ssm(&server, "ListAssociations", &json!({"AssociationFilterList": [{"key": "Name", "value": "x"}]}));
    assert_eq!(error["__type"], "ValidationException");
    let unknown: Vec<String> = server.calls().into_iter().filter(|call| !call.is_known).map(|call| call.operation).collect();
    assert_eq!(unknown, ["ec2:TerminateInstances"]);
}

#[test]
fn lists_come_in_pages_with_tokens_of_their_own() {
    let server = server(Weather { page_limit: Some(5), empty_pages: true, ..Weather::default() });
    let mut form = "DescribeInstances&MaxResults=1000".to_owned();
    let mut counts = Vec::new();
    loop {
        let (_, text) = ec2(&server, REGION, &form);
        counts.push(text.matches("<instanceId>").count());
        let Some(token) = between(&text, "<nextToken>", "</nextToken>") else { break };
        form = format!("DescribeInstances&MaxResults=1000&NextToken={token}");
        let (_, refusal) = ec2(&server, REGION, &format!("DescribeVpcs&NextToken={token}"));
        assert!(refusal.contains("InvalidNextToken"), "a token belongs to its question");
    }
    assert_eq!(counts, [5, 5, 2]);
    let (_, first) = ssm(&server, "DescribeInstanceInformation", &json!({}));
    assert_eq!((&first["InstanceInformationList"], first["NextToken"].is_string()), (&json!([]), true), "empty, and not the last");
    assert_eq!(
        server.calls().iter().filter(|call| call.operation == "ec2:DescribeInstances").map(|call| call.page).collect::<Vec<_>>(),
        [1, 2, 3]
    );
}

#[test]
fn weather_and_calls_over_the_control_path() {
    let server = server(Weather::default());
    let control = |method: &str, path: &str, body: &str| exchange(&server, &format!("{method} /simulated/{path} HTTP/1.1"), body);
    let weather = r#"{"faults": [{"operation": "ec2:*", "kind": {"refuse": {"trouble": "throttled"}}, "times": 1}]}"#;
    assert_eq!(control("PUT", "weather", weather).0, 200);
    assert_eq!(control("PUT", "weather", r#"{"rain": true}"#).0, 400);
    assert_eq!(ec2(&server, REGION, "DescribeVpcs").0, 503);
    assert_eq!(ec2(&server, REGION, "DescribeVpcs").0, 200);
    let calls: Value = serde_json::from_str(&control("GET", "calls", "").1).unwrap();
    let outcomes: Vec<&str> = calls.as_array().unwrap().iter().map(|call| call["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["RequestLimitExceeded", "ok"]);
    assert_eq!(control("DELETE", "calls", "").0, 200);
    assert!(server.calls().is_empty());
}

#[test]
fn sessions_end_and_do_what_their_policy_lets_pass() {
    let policy = json!({"Statement": [{"Effect": "Allow", "Resource": "*", "Action": "ec2:Describe*"},
        {"Effect": "Deny", "Resource": "*", "Action": ["ec2:DescribeVpcs"]}]});
    let unusable = json!({"Statement": [{"Effect": "Allow", "Resource": "*", "NotAction": "iam:*"}]});
    let assume = |server: &Server, policy: &Value| {
        let policy = utf8_percent_encode(&policy.to_string(), NON_ALPHANUMERIC).to_string();
        let form = format!("RoleArn=arn:aws:iam::{ACCOUNT}:role/Reader&RoleSessionName=by-hand&Policy={policy}");
        let head = format!("POST / HTTP/1.1\r\n{}", signature("sts", REGION));
        exchange(server, &head, &format!("Version=2011-06-15&Action=AssumeRole&{form}"))
    };
    let ask = |server: &Server, session: &str, action: &str| {
        let part = |name: &str| between(session, &format!("<{name}>"), &format!("</{name}>")).unwrap().to_owned();
        let signature = signature("ec2", REGION).replace(&Credentials::of_account(ACCOUNT).access_key_id, &part("AccessKeyId"));
        let head = format!("POST / HTTP/1.1\r\nX-Amz-Security-Token: {}\r\n{signature}", part("SessionToken"));
        let (_, text) = exchange(server, &head, &format!("Version=2016-11-15&Action={action}"));
        between(&text, "<Code>", "</Code>").map(str::to_owned)
    };
    let fair = server(Weather::default());
    assert!(assume(&fair, &unusable).1.contains("MalformedPolicyDocument"));
    let (_, session) = assume(&fair, &policy);
    assert_eq!(ask(&fair, &session, "DescribeSubnets"), None);
    assert_eq!(ask(&fair, &session, "DescribeVpcs").as_deref(), Some("UnauthorizedOperation"));
    let short = server(Weather { trust: Trust { session_seconds: Some(0), ..Trust::default() }, ..Weather::default() });
    let (_, session) = assume(&short, &policy);
    assert_eq!(ask(&short, &session, "DescribeSubnets").as_deref(), Some("RequestExpired"));
}

/// Whatever arrives is answered or ends the connection; the server goes on.
#[test]
fn nonsense_does_not_stop_it() {
    let server = server(Weather::default());
    let address = server.endpoint().trim_start_matches("http://").to_owned();
    for nonsense in
        [&b"\x16\x03\x01\x02\x00"[..], b"GET / HTTP/9\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"POST / HTTP/1.1\r\n"]
    {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(nonsense).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    }
    assert_eq!(exchange(&server, "GET / HTTP/1.1", "").0, 403);
    assert_eq!(ec2(&server, REGION, "DescribeVpcAttribute&VpcId=%ff&Attribute=enableDnsSupport&&=").0, 400);
    assert_eq!(ec2(&server, REGION, "DescribeRegions").0, 200);
}
