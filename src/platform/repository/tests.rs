//! Expectations written down from the sources, a row a case.

use Answer::{No, Unknown, Yes};

use super::*;
use crate::platform::identify;

fn tables() -> Tables {
    Tables::builtin().unwrap_or_else(|error| panic!("{error}"))
}

/// `PlatformName`, `PlatformVersion`, `Architecture` (`""` is absent), `UsageOperation` (`-` is absent), Region
fn asked(tables: &Tables, name: &str, version: &str, architecture: &str, operation: &str, region: &str) -> Repositories {
    let observed = Observed {
        platform_name: Some(name),
        platform_version: Some(version),
        architecture: Some(architecture).filter(|text| !text.is_empty()),
        usage_operation: Some(operation).filter(|text| *text != "-"),
        ..Observed::default()
    };
    repositories(tables, &identify(tables, &observed), &observed, region)
}

fn served_by(served_by: ServedBy) -> &'static str {
    match served_by {
        ServedBy::S3 => "s3",
        ServedBy::S3Dualstack => "dualstack",
        ServedBy::Internet => "internet",
        ServedBy::Unknown => "?",
    }
}

/// `host:443,80? (internet) + host:… | the next alternative`
fn short(repositories: &Repositories) -> String {
    let port = |port: &Port| format!("{}{}", port.number, if port.needed == Needed::Always { "" } else { "?" });
    let host = |repository: &Repository| {
        let ports = repository.ports.iter().map(port).collect::<Vec<_>>().join(",");
        format!("{}:{ports} ({})", repository.host, served_by(repository.served_by))
    };
    let hosts = |alternative: &Alternative| alternative.hosts.iter().map(host).collect::<Vec<_>>().join(" + ");
    match repositories {
        Repositories::Known(alternatives) => alternatives.iter().map(hosts).collect::<Vec<_>>().join(" | "),
        Repositories::Unknown { .. } => "unknown".to_owned(),
        Repositories::NotPatchedByPackages { .. } => "not by packages".to_owned(),
    }
}

const X86_UBUNTU: &str = "eu-west-1.ec2.archive.ubuntu.com:80 (internet) + security.ubuntu.com:80 (internet)";
const ARM_UBUNTU: &str = "eu-west-1.ec2.ports.ubuntu.com:80 (internet) + ports.ubuntu.com:80 (internet)";
const ESM: &str = " + esm.ubuntu.com:443 (internet)";
const RHUI: &str = "rhui.us-east-1.aws.ce.redhat.com:443 (internet)";
const RHUI_7: &str = "rhui3.us-east-1.aws.ce.redhat.com:443 (internet)";
const RHSM: &str = "subscription.rhsm.redhat.com:443 (internet) + cdn.redhat.com:443 (internet)";
const SUSE: &str = "smt-ec2.susecloud.net:443,80? (internet) + SUSE's region servers:443? (internet)";
const SCC: &str = "scc.suse.com:443 (internet) + updates.suse.com:443 (internet)";
const DEBIAN_11: &str = "cdn-aws.deb.debian.org:80 (internet) + security.debian.org:80 (internet)";
const DEBIAN_12: &str = "cdn-aws.deb.debian.org:443 (internet)";
const UPDATE: &str = "*.update.microsoft.com:443,80 (internet) + *.windowsupdate.microsoft.com:443,80 (internet) \
                      + *.windowsupdate.com:80 (internet) + *.delivery.mp.microsoft.com:443,80 (internet)";

const MACOS: &str = "swscan.apple.com:443 (internet) + swdist.apple.com:443 (internet) + swcdn.apple.com:80 (internet) \
                     + gdmf.apple.com:443 (internet) + updates.cdn-apple.com:443 (internet) + formulae.brew.sh:443 (internet) \
                     + servers that formulae.brew.sh names:443 (internet)";

type Row = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

#[rustfmt::skip]
const CASES: &[Row] = &[
    ("Amazon Linux",                   "2023",  "x86_64", "RunInstances",      "us-east-1",      &["al2023-repos-us-east-1-de612dc2.s3.dualstack.us-east-1.amazonaws.com:443 (dualstack)"]),
    ("Amazon Linux",                   "2023",  "",       "-",                 "us-gov-west-1",  &["al2023-repos-us-gov-west-1-de612dc2.s3.dualstack.us-gov-west-1.amazonaws.com:443 (dualstack)"]),
    ("Amazon Linux",                   "2023",  "arm64",  "RunInstances",      "eusc-de-east-1", &["al2023-repos-eusc-de-east-1-de612dc2.s3.dualstack.eusc-de-east-1.amazonaws.eu:443 (dualstack)"]),
    ("Amazon Linux",                   "2023",  "x86_64", "RunInstances",      "cn-north-1",     &["al2023-repos-cn-north-1-de612dc2.s3.dualstack.cn-north-1.amazonaws.com.cn:443 (dualstack)",
                                                                                                   "al2023-repos-cn-north-1-de612dc2.s3.cn-north-1.amazonaws.com.cn:443 (s3)"]),
    ("Amazon Linux",                   "2023",  "x86_64", "RunInstances",      "us-iso-east-1",  &["unknown"]),
    ("Amazon Linux",                   "2027",  "x86_64", "RunInstances",      "us-east-1",      &["unknown"]),
    ("Amazon Linux",                   "2",     "x86_64", "RunInstances",      "eu-west-3",      &["amazonlinux-2-repos-eu-west-3.s3.dualstack.eu-west-3.amazonaws.com:443 (dualstack)",
                                                                                                   "amazonlinux.eu-west-3.amazonaws.com:80 (s3)"]),
    ("Amazon Linux",                   "2",     "x86_64", "RunInstances",      "cn-northwest-1", &["amazonlinux-2-repos-cn-northwest-1.s3.cn-northwest-1.amazonaws.com.cn:443 (s3)"]),
    ("Amazon Linux",                   "2",     "x86_64", "RunInstances",      "eusc-de-east-1", &["unknown"]),
    ("Amazon Linux AMI",               "2018.03", "x86_64", "RunInstances",    "us-east-1",      &["repo.us-east-1.amazonaws.com:80 (s3) + packages.us-east-1.amazonaws.com:80 (s3)"]),
    ("Ubuntu",                         "24.04", "x86_64", "RunInstances",      "eu-west-1",      &[X86_UBUNTU]),
    ("Ubuntu",                         "22.04", "arm64",  "RunInstances",      "eu-west-1",      &[ARM_UBUNTU]),
    ("Ubuntu",                         "24.04", "",       "RunInstances",      "eu-west-1",      &[X86_UBUNTU, ARM_UBUNTU]),
    ("Ubuntu",                         "20.04", "x86_64", "RunInstances:0g00", "eu-west-1",      &["PRO x86"]),
    ("Ubuntu",                         "20.04", "arm64",  "RunInstances:0g00", "eu-west-1",      &["PRO arm"]),
    ("Ubuntu",                         "20.04", "x86_64", "-",                 "eu-west-1",      &[X86_UBUNTU, "PRO x86"]),
    ("Debian GNU/Linux",               "11",    "x86_64", "RunInstances",      "us-east-1",      &[DEBIAN_11]),
    ("Debian GNU/Linux",               "12.5",  "arm64",  "RunInstances",      "us-east-1",      &[DEBIAN_12]),
    ("Debian GNU/Linux",               "13",    "arm64",  "-",                 "us-gov-east-1",  &[DEBIAN_12]),
    ("Debian GNU/Linux",               "",      "x86_64", "RunInstances",      "us-east-1",      &[DEBIAN_11, DEBIAN_12]),
    ("Debian GNU/Linux",               "12",    "x86_64", "RunInstances",      "cn-north-1",     &["unknown"]),
    ("Red Hat Enterprise Linux",       "9.4",   "x86_64", "RunInstances:0010", "us-east-1",      &[RHUI]),
    ("Red Hat Enterprise Linux",       "10.0",  "arm64",  "RunInstances:1010", "us-east-1",      &[RHUI]),
    ("Red Hat Enterprise Linux",       "8.10",  "x86_64", "RunInstances:0014", "us-east-1",      &[RHUI]),
    ("Red Hat Enterprise Linux Server", "7.9",  "x86_64", "RunInstances:0010", "us-east-1",      &[RHUI_7]),
    ("Red Hat Enterprise Linux",       "",      "x86_64", "RunInstances:0010", "us-east-1",      &[RHUI, RHUI_7]),
    ("Red Hat Enterprise Linux",       "9.4",   "x86_64", "RunInstances:00g0", "us-east-1",      &[RHSM]),
    ("Red Hat Enterprise Linux",       "9.4",   "x86_64", "RunInstances",      "us-east-1",      &[RHUI, RHSM]),
    ("Red Hat Enterprise Linux",       "9.4",   "x86_64", "-",                 "us-east-1",      &[RHUI, RHSM]),
    ("Red Hat Enterprise Linux",       "9.4",   "x86_64", "RunInstances:9999", "us-east-1",      &[RHUI, RHSM]),
    ("Red Hat Enterprise Linux",       "9.4",   "x86_64", "RunInstances:0010", "cn-north-1",     &["unknown"]),
    ("Red Hat Enterprise Linux",       "9.4",   "x86_64", "RunInstances:00g0", "cn-north-1",     &[RHSM]),
    ("Red Hat Enterprise Linux Server", "6.10", "x86_64", "RunInstances:0010", "us-east-1",      &["unknown"]),
    ("Red Hat Enterprise Linux CoreOS", "4.16", "x86_64", "RunInstances",      "us-east-1",      &["not by packages"]),
    ("SLES",                           "15.6",  "x86_64", "RunInstances:000g", "us-east-1",      &[SUSE]),
    ("SLES",                           "15.6",  "x86_64", "RunInstances:000g", "cn-north-1",     &[SUSE]),
    ("SLES",                           "15.6",  "x86_64", "RunInstances:000g", "us-gov-west-1",  &["unknown"]),
    ("SLES_SAP",                       "15.7",  "x86_64", "RunInstances",      "us-east-1",      &[SUSE, SCC]),
    ("SLES",                           "15.6",  "x86_64", "-",                 "us-east-1",      &[SUSE, SCC]),
    ("CentOS Linux",                   "7.9",   "x86_64", "RunInstances",      "us-east-1",      &["unknown"]),
    ("CentOS Stream",                  "9",     "x86_64", "RunInstances",      "us-east-1",      &["mirrors.centos.org:443 (internet) + mirrors that mirrors.centos.org names:443,80? (?)"]),
    ("Rocky Linux",                    "9.4",   "x86_64", "RunInstances",      "us-east-1",      &["mirrors.rockylinux.org:443 (internet) + mirrors that mirrors.rockylinux.org names:443,80? (?)"]),
    ("AlmaLinux",                      "8.10",  "arm64",  "RunInstances",      "us-east-1",      &["mirrors.almalinux.org:443 (internet) + mirrors that mirrors.almalinux.org names:443,80? (?)"]),
    ("Oracle Linux Server",            "8.9",   "x86_64", "RunInstances",      "us-east-1",      &["yum.oracle.com:443 (internet)"]),
    ("Microsoft Windows Server 2022 Datacenter", "10.0.20348", "x86_64", "RunInstances:0002", "us-east-1", &[UPDATE]),
    ("Microsoft Windows 11 Enterprise", "10.0.22631", "x86_64", "RunInstances:0800", "us-east-1", &["unknown"]),
    ("macOS",                          "14.5",  "arm64",  "RunInstances",      "us-east-1",      &[MACOS]),
    ("Ubuntu",                         "22.04", "x86_64", "RunInstances:0004", "eu-west-1",      &[X86_UBUNTU]),
    ("Bottlerocket",                   "1.20.0", "x86_64", "RunInstances",     "us-east-1",      &["not by packages"]),
    ("Flatcar Container Linux by Kinvolk", "3815.2.0", "x86_64", "RunInstances", "us-east-1",    &["not by packages"]),
    ("Fedora Linux",                   "41",    "x86_64", "RunInstances",      "us-east-1",      &["unknown"]),
    ("Clear Linux OS",                 "42000", "x86_64", "RunInstances",      "us-east-1",      &["unknown"]),
];

#[test]
fn where_patches_come_from() {
    let tables = tables();
    for &(name, version, architecture, operation, region, expected) in CASES {
        let words = |words: &&str| match *words {
            "PRO x86" => format!("{X86_UBUNTU}{ESM}"),
            "PRO arm" => format!("{ARM_UBUNTU}{ESM}"),
            words => words.to_owned(),
        };
        let expected = expected.iter().map(words).collect::<Vec<_>>().join(" | ");
        let found = short(&asked(&tables, name, version, architecture, operation, region));
        assert_eq!(found, expected, "{name} {version} {architecture} {operation} {region}");
    }
}

#[test]
fn platform_details_stand_in_for_the_usage_operation() {
    let tables = tables();
    for (details, expected) in [
        ("Red Hat Enterprise Linux", RHUI.to_owned()),
        ("Red Hat Enterprise Linux with HA", RHUI.to_owned()),
        ("Red Hat BYOL Linux", RHSM.to_owned()),
        ("Linux/UNIX", format!("{RHUI} | {RHSM}")),
        ("Something new", format!("{RHUI} | {RHSM}")),
    ] {
        let observed = Observed {
            platform_name: Some("Red Hat Enterprise Linux"),
            platform_version: Some("9.4"),
            platform_details: Some(details),
            ..Observed::default()
        };
        let found = repositories(&tables, &identify(&tables, &observed), &observed, "us-east-1");
        assert_eq!(short(&found), expected, "{details}");
    }
}

#[test]
fn nothing_known_is_unknown() {
    let tables = tables();
    let observed = Observed::default();
    let found = repositories(&tables, &identify(&tables, &observed), &observed, "us-east-1");
    assert_eq!(short(&found), "unknown");
}

#[test]
fn several_alternatives_say_what_tells_them_apart() {
    let tables = tables();
    let texts = |found: &Repositories| match found {
        Repositories::Known(alternatives) => alternatives.iter().map(|alternative| alternative.when.clone().unwrap()).collect::<Vec<_>>(),
        _ => panic!("{found:?}"),
    };
    let debian = texts(&asked(&tables, "Debian GNU/Linux", "", "x86_64", "RunInstances", "us-east-1"));
    assert_eq!(debian, ["it is Debian 9.x-11.x", "it is Debian 12 and later"]);
    let ubuntu = texts(&asked(&tables, "Ubuntu", "24.04", "", "-", "us-east-1"));
    assert_eq!(
        ubuntu[..2],
        [
            "its architecture is x86_64 or i386, no operating system is in the price of the instance",
            "its architecture is arm64, no operating system is in the price of the instance"
        ]
    );
    // All of them, and each with what settles it.
    for &(name, version, architecture, operation, region, expected) in CASES {
        if let Repositories::Known(alternatives) = asked(&tables, name, version, architecture, operation, region) {
            assert_eq!(alternatives.len(), expected.len());
            let told = |alternative: &Alternative| alternative.when.is_some() && alternative.settled_by.is_some();
            assert!(alternatives.len() == 1 || alternatives.iter().all(told), "{name} {version}");
        }
    }
}

type Reach<'a> = &'a dyn Fn(&Repository, u16) -> bool;

/// Rows of the truth table: what a network that lets certain things pass means for patching.
#[test]
fn verdicts_over_alternatives_and_ports() {
    let tables = tables();
    let s3 = |repository: &Repository| matches!(repository.served_by, ServedBy::S3 | ServedBy::S3Dualstack);
    let nothing: Reach<'_> = &|_, _| false;
    let everything: Reach<'_> = &|_, _| true;
    let gateway_endpoint: Reach<'_> = &|repository, _| s3(repository);
    let gateway_endpoint_443: Reach<'_> = &|repository, port| s3(repository) && port == 443;
    let internet_443: Reach<'_> = &|_, port| port == 443;
    let internet_80: Reach<'_> = &|_, port| port == 80;
    for (name, version, operation, reach, expected) in [
        ("Amazon Linux", "2023", "RunInstances", nothing, No),
        ("Amazon Linux", "2023", "RunInstances", gateway_endpoint, Yes),
        ("Amazon Linux", "2023", "RunInstances", internet_80, No),
        ("Amazon Linux", "2", "RunInstances", gateway_endpoint, Yes),
        ("Amazon Linux", "2", "RunInstances", gateway_endpoint_443, Unknown),
        ("Amazon Linux", "2", "RunInstances", nothing, No),
        ("Ubuntu", "24.04", "RunInstances", gateway_endpoint, No),
        ("Ubuntu", "24.04", "RunInstances", internet_443, No),
        ("Ubuntu", "24.04", "RunInstances", internet_80, Yes),
        ("Ubuntu", "24.04", "RunInstances:0g00", internet_80, No),
        ("SLES", "15.6", "RunInstances:000g", internet_443, Unknown),
        ("SLES", "15.6", "RunInstances:000g", everything, Yes),
        ("SLES", "15.6", "RunInstances:000g", internet_80, No),
        ("SLES", "15.6", "RunInstances", internet_443, Unknown),
        ("Red Hat Enterprise Linux", "9.4", "RunInstances:0010", gateway_endpoint, No),
        ("Red Hat Enterprise Linux", "9.4", "-", internet_443, Yes),
        ("Red Hat Enterprise Linux", "9.4", "-", nothing, No),
        ("Debian GNU/Linux", "", "RunInstances", internet_443, Unknown),
        ("Microsoft Windows Server 2022", "10.0.20348", "RunInstances:0002", internet_443, No),
        ("Microsoft Windows Server 2022", "10.0.20348", "RunInstances:0002", everything, Yes),
        ("Rocky Linux", "9.4", "RunInstances", internet_443, Unknown),
    ] {
        let Repositories::Known(alternatives) = asked(&tables, name, version, "x86_64", operation, "us-east-1") else { panic!("{name}") };
        let found = all_reached(&alternatives, |repository, port| reach(repository, port).into());
        assert_eq!(found, expected, "{name} {version} {operation}");
    }
    assert_eq!(all_reached(&[], |_, _| Yes), Unknown);
}

#[test]
fn every_operating_system_that_may_be_patched_has_a_row() {
    let tables = tables();
    for (id, listed) in &tables.operating_systems {
        let may_be_patched = !listed.system.patch_manager.supported.is_empty() || !listed.system.patch_manager.unclear.is_empty();
        assert!(!may_be_patched || tables.repositories.repositories.get(id).is_some_and(|rows| !rows.is_empty()), "{id}");
    }
}

#[test]
fn the_table_is_sound() {
    let tables = tables();
    let table = &tables.repositories;
    let operations = table.billing.values().flat_map(|billing| &billing.usage_operations).collect::<Vec<_>>();
    assert_eq!(operations.iter().collect::<BTreeSet<_>>().len(), operations.len());
    for (id, rows) in &table.repositories {
        assert!(tables.operating_systems.contains_key(id), "{id}");
        for row in rows {
            assert_eq!(row.when.is_some(), row.settled_by.is_some(), "{id}");
            let billed_as = row.conditions.billed_as.iter().flatten();
            assert!(billed_as.into_iter().all(|known| table.billing.contains_key(known)), "{id}");
            let Patches::Hosts(hosts) = &row.patches else { continue };
            assert!(!hosts.is_empty(), "{id}");
            for host in hosts {
                let filled = host.fill("us-east-1", Partition::Aws);
                let name = filled.host.strip_prefix("*.").unwrap_or(&filled.host);
                let dns = name.contains('.')
                    && name.split('.').all(|label| {
                        !label.is_empty() && label.chars().all(|character| character.is_ascii_alphanumeric() || character == '-')
                    });
                assert!(dns || host.found_by != FoundBy::Dns, "{id}: {name}");
                assert!(!host.ports.is_empty() && host.source.starts_with("https://"), "{id}: {name}");
                assert!(host.ports.iter().any(|port| port.perhaps.is_none()) || host.found_by == FoundBy::Node, "{id}: {name}");
                assert_eq!(host.served_by == ServedBy::S3Dualstack, name.contains(".s3.dualstack."), "{id}: {name}");
            }
        }
    }
}
