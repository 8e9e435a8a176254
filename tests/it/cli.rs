//! The command line as a user meets it: what is wrong is named, with the place and the remedy, and the exit code says what it means.

use std::path::Path;

use crate::process::{code, copy, program, repository, run, shown, text};

fn write(path: &Path, content: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

#[test]
fn the_sample_organization_is_judged_without_credentials() {
    let output = run(&["scan", "--demo"]);
    assert_eq!(code(&output), 1, "the sample has errors: {}", shown(&output));
    let table = text(&output.stdout);
    for part in ["ready", "Why", "What to do", "Instances that are not ready", "aws ec2 "] {
        assert!(table.contains(part), "{part:?} is missing in\n{table}");
    }
    assert!(!table.contains('\u{1b}'), "no colour where stdout is no terminal");
    assert!(output.stderr.is_empty(), "nothing but the report: {}", shown(&output));
}

#[test]
fn colour_comes_when_asked_for() {
    assert!(text(&run(&["scan", "--demo", "--color", "always"]).stdout).contains('\u{1b}'));
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let mut child = program(&["scan", "--demo", "--output", "json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((code(&output), text(&output.stderr)), (1, String::new()));
}

#[test]
fn the_format_never_changes_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let both = run(&["scan", "--demo", "--output", "table", "--output", &format!("json={}", file.display())]);
    assert_eq!(code(&both), 1);
    assert!(text(&both.stdout).contains("What to do"));
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(report["schema_version"], 1);
    assert_eq!(code(&run(&["scan", "--demo", "--output", "json"])), 1);
}

#[test]
fn severities_decide_the_exit_code() {
    assert_eq!(code(&run(&["scan", "--demo", "--fail-on", "never", "--incomplete", "warn"])), 0);
    assert_eq!(code(&run(&["scan", "--demo", "--fail-on", "never"])), 3, "the sample holds instances that are not known");
    assert_eq!(code(&run(&["scan", "--demo", "--fail-on", "note"])), 1);
}

/// A link that leads to nothing yet.
#[cfg(unix)]
#[test]
fn a_report_is_written_through_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let (link, file) = (folder.path().join("link.json"), folder.path().join("report.json"));
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert_eq!(code(&run(&["scan", "--demo", "--output", &format!("json={}", link.display())])), 1);
    assert!(link.is_symlink() && std::fs::metadata(file).unwrap().len() > 0);
}

/// Of the sample's build server for iOS everything is known but when its system's support ends, which is a warning.
#[test]
fn what_is_not_known_counts_by_its_severity() {
    let folder = tempfile::tempdir().unwrap();
    copy(&repository("fixtures/demo-org"), folder.path());
    let place = "222222222222/us-east-1";
    let file = folder.path().join(place).join("ec2-describe-instances.json");
    let mut instances: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let is_it = |one: &serde_json::Value| one["Instances"][0]["Tags"].as_array().unwrap().iter().any(|tag| tag["Value"] == "ios-build-us");
    instances["Reservations"].as_array_mut().unwrap().retain(is_it);
    assert_eq!(instances["Reservations"].as_array().unwrap().len(), 1);
    std::fs::write(&file, instances.to_string()).unwrap();
    // What is wrong with the sample's patch policies is another matter.
    std::fs::remove_file(folder.path().join("111111111111/global/ssm-quicksetup-get-configuration-manager.json")).unwrap();
    let snapshot = folder.path().to_str().unwrap();
    let scan = |fail_on: &str| {
        let chosen =
            ["--org", "--account", "222222222222", "--region", "us-east-1", "--assume", "no-unseen-patch-policies", "--fail-on", fail_on];
        code(&run(&[["scan", "--snapshot", snapshot].as_slice(), &chosen].concat()))
    };
    assert_eq!([scan("error"), scan("warning")], [0, 3]);
}

#[test]
fn wrong_usage_is_code_2_and_says_what_is_right() {
    let cases: [(&[&str], &str); 20] = [
        (&["scan", "--demo", "--assume", "tgw-1=internet"], "the model follows tgw-1 itself"),
        (&["scan", "--demo", "--assume", "vgw-=internet"], "vgw-0a1b2c3d=internet"),
        (&["scan", "--demo", "--mirrors", "/nonexistent/mirrors.yaml"], "/nonexistent/mirrors.yaml"),
        (&["scan", "--demo", "--region", "mars-1"], "holds nothing of Region mars-1 (perhaps ap-northeast-3"),
        (&["scan", "--nonsense"], "--nonsense"),
        (&["scan", "--demo", "--output", "xml"], "use table or json"),
        (&["scan", "--demo", "--output", "json="], "the file's name is missing"),
        (&["scan", "--demo", "--output", "json", "--output", "table"], "two outputs go to stdout"),
        (&["scan", "--demo", "--rule", "not-registered"], "write it as ID=off"),
        (&["scan", "--demo", "--rule", "not-registered=loud"], "use off, note, warning or error"),
        (&["scan", "--demo", "--rule", "not-registred=off"], "not-registered"),
        (&["scan", "--demo", "--account", "123"], "twelve digits"),
        (&["scan", "--demo", "--connection-status"], "cannot be used with"),
        (&["scan", "--snapshot", "fixtures/demo-org", "--connection-status"], "cannot be used with"),
        (&["scan", "--demo", "--installed-packages"], "cannot be used with"),
        (&["scan", "--snapshot", "fixtures/demo-org", "--installed-packages"], "cannot be used with"),
        (&["scan", "--demo", "--output", "table", "--output", "json=/nonexistent/report.json"], "cannot write /nonexistent/report.json: "),
        (&["scan", "--demo", "--save-snapshot", "/proc/snapshot"], "cannot write /proc/snapshot: "),
        (&["explain", "i-1", "--report", "report.json", "--rule", "not-registered=off"], "cannot be used with"),
        (&["scan", "--snapshot", "/nonexistent/snapshot"], "/nonexistent/snapshot is not a folder"),
    ];
    for (arguments, remedy) in cases {
        let output = run(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {}", shown(&output));
        assert!(text(&output.stderr).contains(remedy), "{arguments:?} should say {remedy:?}: {}", shown(&output));
        assert!(output.stdout.is_empty(), "{arguments:?}: stdout is for the report");
    }
}

#[test]
fn a_broken_snapshot_names_the_file_and_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = "111111111111/eu-central-1/ec2-describe-vpcs.json";
    let cases = [
        ("{\"Vpcs\": [{\"VpcId\": 7}]}", "Vpcs[0].VpcId"),
        ("{\"Vpcs\": [", "line 1"),
        ("{\"Vpcs\": [{\"VpcId\": \"vpc-1", "Vpcs[0]"),
        ("{\"Vpcs\": {}}", "Vpcs"),
        ("{}", "missing field `Vpcs`"),
        ("[]", "line 1"),
        ("", "line 1"),
        ("{\"Vpcs\": []} trailing", "line 1, column 14"),
        ("\u{0}\u{1}", "line 1"),
    ];
    for (content, place) in cases {
        write(&folder.path().join(file), content);
        let output = run(&["scan", "--snapshot", folder.path().to_str().unwrap()]);
        let told = text(&output.stderr);
        assert_eq!(code(&output), 2, "{content:?}: {}", shown(&output));
        assert!(!told.contains('?'), "{content:?}: {told}");
        assert!(told.contains(file) && told.contains(place), "{content:?} should name {file} and {place}: {told}");
    }
}

/// A struct is an object: by position, members that are not in order would be taken for others.
#[test]
fn a_list_is_no_object() {
    let cases = [
        ("111111111111/eu-central-1/ec2-describe-vpcs.json", "[[]]", "line 1, column"),
        ("111111111111/eu-central-1/ec2-describe-vpcs.json", r#"{"Vpcs": [["vpc-1", "111111111111"]]}"#, "Vpcs[0] (line 1"),
        (
            "111111111111/eu-central-1/ec2-describe-instances.json",
            r#"{"Reservations": [{"Instances": [{"InstanceId": "i-1", "State": [16, "running"]}]}]}"#,
            "Reservations[0].Instances[0].State",
        ),
        ("snapshot.json", r#"["patch-preflight/snapshot", 1]"#, "line 1, column"),
        ("snapshot.json", r#"{"format": "patch-preflight/snapshot", "version": 1, "caller": ["1", "2"]}"#, "caller"),
        ("snapshot.json", r#"{"format": "patch-preflight/snapshot", "version": 1, "gaps": [["1", null, "a:B", "error", ""]]}"#, "gaps[0]"),
    ];
    for (file, content, place) in cases {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("111111111111/eu-central-1/ec2-describe-instances.json"), r#"{"Reservations": []}"#);
        write(&folder.path().join(file), content);
        let output = run(&["scan", "--snapshot", folder.path().to_str().unwrap()]);
        let told = text(&output.stderr);
        assert_eq!(code(&output), 2, "{content:?}: {}", shown(&output));
        assert!(told.contains(file) && told.contains(place) && told.contains("sequence"), "{content:?} should name {place}: {told}");
    }
}

/// What to do depends on who makes the file, and on what is wrong with it.
#[test]
fn a_broken_snapshot_says_how_to_mend_it() {
    let utf16 = |text: &str, is_big: bool| -> Vec<u8> {
        let mark = std::iter::once(0xfeff).chain(text.encode_utf16());
        mark.flat_map(|unit| if is_big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let vpcs = "111111111111/eu-central-1/ec2-describe-vpcs.json";
    let empty = "{\"Vpcs\": []}";
    let cases: [(&str, Vec<u8>, &str, &str); 8] = [
        (vpcs, b"{".to_vec(), "`aws \u{2026} --output json`", "wrote it"),
        ("snapshot.json", b"{".to_vec(), "as `patch-preflight collect` wrote it", "--output json"),
        ("organization/organizational-units.json", b"{".to_vec(), "docs/snapshot.md", "--output json"),
        (vpcs, utf16(empty, false), "is encoded in UTF-16: save it as UTF-8", "expected value"),
        (vpcs, utf16(empty, true), "is encoded in UTF-16: save it as UTF-8", "expected value"),
        (vpcs, utf16(empty, false)[2..].to_vec(), "is encoded in UTF-16: save it as UTF-8", "expected value"),
        ("snapshot.json", utf16("{}", false), "is encoded in UTF-16", "expected value"),
        (vpcs, b"{\"Vpcs\": [{\"Tags\": [{\"Key\": \"\xe4\", \"Value\": \"\"}]}]}".to_vec(), "save it as UTF-8", "UTF-16"),
    ];
    for (file, content, remedy, never) in cases {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("111111111111/eu-central-1/ec2-describe-instances.json"), r#"{"Reservations": []}"#);
        write(&folder.path().join(file), &content);
        let output = run(&["scan", "--snapshot", folder.path().to_str().unwrap()]);
        let told = text(&output.stderr);
        assert_eq!(code(&output), 2, "{file}: {}", shown(&output));
        assert!(told.contains(file) && told.contains(remedy), "{file} should say {remedy:?}: {told}");
        assert!(!told.contains(never), "{file} should not say {never:?}: {told}");
    }
}

/// What an earlier snapshot left behind would count as seen.
#[test]
fn a_snapshot_goes_into_an_empty_folder_only() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("111111111111/eu-central-1/ec2-describe-vpc-endpoints.json"), "{\"VpcEndpoints\": []}");
    let output = run(&["scan", "--demo", "--save-snapshot", folder.path().to_str().unwrap()]);
    assert_eq!(code(&output), 2, "{}", shown(&output));
    assert!(text(&output.stderr).contains("is not empty: give a new folder"), "{}", shown(&output));
}

#[test]
fn an_instance_without_an_id_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let file = "111111111111/eu-central-1/ec2-describe-instances.json";
    write(&folder.path().join(file), r#"{"Reservations": [{"Instances": [{}, {"InstanceId": "i-1"}]}]}"#);
    let output = run(&["scan", "--snapshot", folder.path().to_str().unwrap()]);
    assert_eq!(code(&output), 2, "{}", shown(&output));
    assert!(text(&output.stderr).contains("1 of 2 entries: InstanceId is missing"), "{}", shown(&output));
}

#[test]
fn a_snapshot_without_a_readable_account_is_code_4() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("111111111111/eu-central-1")).unwrap();
    let output = run(&["scan", "--snapshot", folder.path().to_str().unwrap()]);
    assert_eq!(code(&output), 4, "{}", shown(&output));
}

/// A Region whose instances nobody saw may have any: the report is not whole, whether the folder is there or only promised.
#[test]
fn instances_that_were_not_collected_make_the_report_partial() {
    let of_account = |snapshot: &Path| {
        let report = crate::process::report(&run(&["scan", "--snapshot", snapshot.to_str().unwrap(), "--output", "json"]));
        let accounts = report["accounts"].as_array().unwrap();
        let account = accounts.iter().find(|account| account["id"] == "222222222222").unwrap();
        (report["complete"].as_bool().unwrap(), account["status"].as_str().unwrap().to_owned())
    };
    for whole_folder in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        copy(&repository("fixtures/staggered-org"), folder.path());
        assert_eq!(of_account(folder.path()), (true, "scanned".to_owned()));
        let region = folder.path().join("222222222222/eu-central-1");
        if whole_folder {
            std::fs::remove_dir_all(region).unwrap();
        } else {
            std::fs::remove_file(region.join("ec2-describe-instances.json")).unwrap();
        }
        assert_eq!(of_account(folder.path()), (false, "partial".to_owned()));
    }
}

#[test]
fn an_empty_folder_is_no_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&["scan", "--snapshot", folder.path().to_str().unwrap()]);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("holds no snapshot"), "{}", shown(&output));
}

#[test]
fn a_folder_made_by_hand_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let instances =
        r#"{"Reservations": [{"Instances": [{"InstanceId": "i-1", "State": {"Name": "running"}, "SomethingNew": [1, null]}]}]}"#;
    write(&folder.path().join("111111111111/eu-central-1/ec2-describe-instances.json"), instances);
    write(&folder.path().join("111111111111/eu-central-1/notes.txt"), "not a file of the snapshot");
    let output = run(&["scan", "--snapshot", folder.path().to_str().unwrap(), "--output", "json"]);
    let report = crate::process::report(&output);
    assert_eq!(report["summary"]["instances"], 1);
    assert_eq!(report["summary"]["ready"], 0, "nothing is ready on missing facts");
    assert_eq!(report["instances"][0]["readiness"], "unknown");
    assert_eq!(code(&output), 3, "what is not known is never clean");
}

#[test]
fn a_snapshot_of_another_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("snapshot.json"), r#"{"format": "patch-preflight/snapshot", "version": 2}"#);
    let output = run(&["scan", "--snapshot", folder.path().to_str().unwrap()]);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("version 2"), "{}", shown(&output));
}

/// A snapshot may come from anybody: names must not draw on the terminal.
#[test]
fn control_characters_never_reach_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let instances = r#"{"Reservations": [{"Instances": [{"InstanceId": "i-1", "State": {"Name": "running"},
        "Tags": [{"Key": "Name", "Value": "\u001b[2Jgone\u0007"}, {"Key": "$unknown", "Value": "x"}]}]}]}"#;
    write(&folder.path().join("111111111111/eu-central-1/ec2-describe-instances.json"), instances);
    let output = run(&["scan", "--snapshot", folder.path().to_str().unwrap(), "--wide"]);
    let table = text(&output.stdout);
    assert!(table.contains("gone") && !table.contains('\u{1b}') && !table.contains('\u{7}'), "{table:?}");
}

#[test]
fn rules_are_listed_shown_and_tested() {
    assert!(text(&run(&["rules", "list"]).stdout).contains("not-registered"));
    let page = text(&run(&["rules", "show", "s3-egress-blocked"]).stdout);
    assert!(page.contains("prefix list"), "{page}");
    assert_eq!(code(&run(&["rules", "show", "no-such-rule"])), 2);
    let tested = run(&["rules", "test"]);
    assert!(text(&tested.stdout).contains(" 0 failed"), "{}", shown(&tested));
    assert_eq!(code(&tested), 0);
}

#[test]
fn an_instance_is_explained_hop_by_hop() {
    let explained = run(&["explain", "i-0cc1000000a1e0129", "--demo"]);
    assert_eq!(code(&explained), 0, "{}", shown(&explained));
    let told = text(&explained.stdout);
    let parts = [
        "i-0cc1000000a1e0129 (ledger-db-01) in 333333333333 eu-central-1: not ready",
        "[s3-egress-blocked]",
        "s3.eu-central-1.amazonaws.com:443 is blocked",
        "blocked by ENI_SG_RULES_MISMATCH: sg-0cc1000040a1e0000 has no outbound rule for TCP 443 to prefix list pl-6ea54007",
        "aws ec2 authorize-security-group-egress",
        "ssm.eu-central-1.amazonaws.com:443 is reachable via interface endpoint",
    ];
    for part in parts {
        assert!(told.contains(part), "{part:?} is missing in\n{told}");
    }
    let json: serde_json::Value =
        serde_json::from_slice(&run(&["explain", "i-0cc1000000a1e0129", "--demo", "--format", "json"]).stdout).unwrap();
    assert_eq!(json["instance"]["instance_id"], "i-0cc1000000a1e0129");
    let rules: Vec<_> = json["findings"].as_array().unwrap().iter().map(|finding| finding["rule_id"].as_str().unwrap()).collect();
    assert!(rules.contains(&"s3-egress-blocked"), "{rules:?}");
    let titles: Vec<_> = json["fixes"].as_array().unwrap().iter().map(|fix| fix["title"].as_str().unwrap()).collect();
    assert!(titles.contains(&"Allow outbound TCP 443 from sg-0cc1000040a1e0000 to pl-6ea54007"), "{titles:?}");
    let diagram = text(&run(&["explain", "i-0cc1000000a1e0129", "--demo", "--format", "mermaid"]).stdout);
    assert!(diagram.starts_with("flowchart LR\n") && diagram.contains(":::block"), "{diagram}");
}

#[test]
fn an_explanation_comes_from_a_saved_report_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let file = file.to_str().unwrap();
    assert_eq!(code(&run(&["scan", "--demo", "--output", &format!("json={file}")])), 1);
    let saved = run(&["explain", "i-0cc1000000a1e0129", "--report", file]);
    assert_eq!(text(&saved.stdout), text(&run(&["explain", "i-0cc1000000a1e0129", "--demo"]).stdout), "{}", shown(&saved));
    let cases: [(&[&str], &str); 4] = [
        (&["explain", "i-0"], "--snapshot DIR"),
        (&["explain", "i-0", "--demo"], "is not among the 65 instances"),
        (&["explain", "i-0", "--report", "/nonexistent"], "/nonexistent"),
        (&["explain", "no-such-rule"], "no-such-rule"),
    ];
    for (arguments, told) in cases {
        let output = run(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {}", shown(&output));
        assert!(text(&output.stderr).contains(told), "{arguments:?}: {}", shown(&output));
    }
    assert_eq!(text(&run(&["explain", "s3-egress-blocked"]).stdout), text(&run(&["rules", "show", "s3-egress-blocked"]).stdout));
}

#[test]
fn a_rule_that_does_not_load_ends_the_run() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("my-rule.yaml"), "title: Broken\nseverity: error\n");
    let output = run(&["scan", "--demo", "--rules", folder.path().to_str().unwrap()]);
    assert_eq!(code(&output), 2, "{}", shown(&output));
    assert!(text(&output.stderr).contains("my-rule.yaml"), "{}", shown(&output));
}

#[test]
fn helpers_for_the_shell_are_printed() {
    assert!(text(&run(&["completions", "bash"]).stdout).contains("complete -F _patch__preflight"));
    assert!(text(&run(&["man"]).stdout).starts_with(".ie"));
    let schema: serde_json::Value = serde_json::from_slice(&run(&["schema"]).stdout).unwrap();
    assert!(schema["properties"]["schema_version"].is_object());
    let policy: serde_json::Value = serde_json::from_slice(&run(&["permissions"]).stdout).unwrap();
    assert_eq!(policy["Version"], "2012-10-17");
    assert!(text(&run(&["permissions", "stack-set"]).stdout).contains("AWS::IAM::Role"));
}

#[cfg(not(feature = "aws"))]
#[test]
fn a_build_without_the_sdk_says_so() {
    let output = run(&["scan", "--org"]);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("--demo"), "{}", shown(&output));
}

#[cfg(feature = "aws")]
#[test]
fn without_credentials_one_line_says_what_to_do() {
    let output = run(&["scan", "--org"]);
    let told = text(&output.stderr);
    assert_eq!(code(&output), 4, "{}", shown(&output));
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains("AWS_PROFILE") && told.contains("--demo"), "{told}");
}

#[test]
fn a_snapshot_in_the_repository_is_found_from_anywhere() {
    let output = run(&["scan", "--snapshot", repository("fixtures/demo-org").to_str().unwrap(), "--output", "json"]);
    let embedded = run(&["scan", "--demo", "--output", "json"]);
    assert_eq!(text(&output.stdout), text(&embedded.stdout), "the sample is the folder");
}
