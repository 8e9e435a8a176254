//! Real strings, as agents, image owners and EC2 give them, against AWS's matrix. Expectations are thought out from the documentation.

use super::Answer::{self, No, Unknown, Yes};
use super::{Observed, Tables, agent_support, identify, patch_manager_support, vendor_support_end};

const AMAZON: &str = "137112412989";
const WINDOWS: &str = "801119661308";
const CANONICAL: &str = "099720109477";
const RED_HAT: &str = "309956199498";

/// `PlatformName`, `PlatformVersion`, architecture → system, Patch Manager, agent.
#[test]
fn what_agents_report() {
    let rows: [(&str, &str, &str, Option<&str>, Answer, Answer); 62] = [
        ("Amazon Linux", "2023", "x86_64", Some("amazon-linux-2023"), Yes, Yes),
        ("Amazon Linux", "2023", "arm64", Some("amazon-linux-2023"), Yes, Yes),
        ("Amazon Linux", "2", "x86_64", Some("amazon-linux-2"), Yes, Yes),
        ("Amazon Linux", "2027", "x86_64", Some("amazon-linux-2027"), No, No),
        ("Amazon Linux AMI", "2018.03", "x86_64", Some("amazon-linux-1"), No, No),
        ("Ubuntu", "14.04", "x86_64", Some("ubuntu"), No, No),
        ("Ubuntu", "16.04", "x86_64", Some("ubuntu"), No, No),
        ("Ubuntu", "18.04", "x86_64", Some("ubuntu"), Yes, Yes),
        ("Ubuntu", "20.04", "arm64", Some("ubuntu"), Yes, Yes),
        ("Ubuntu", "22.04", "x86_64", Some("ubuntu"), Yes, Yes),
        ("Ubuntu", "22.10", "x86_64", Some("ubuntu"), No, No),
        ("Ubuntu", "24.04", "x86_64", Some("ubuntu"), Yes, Yes),
        ("Ubuntu", "25.04", "x86_64", Some("ubuntu"), Yes, Yes),
        ("Ubuntu", "25.10", "x86_64", Some("ubuntu"), No, No),
        ("Ubuntu", "26.04", "x86_64", Some("ubuntu"), No, No),
        ("Debian GNU/Linux", "9", "x86_64", Some("debian"), No, No),
        ("Debian GNU/Linux", "10", "x86_64", Some("debian"), No, No),
        ("Debian GNU/Linux", "11", "x86_64", Some("debian"), Yes, Yes),
        ("Debian GNU/Linux", "12", "arm64", Some("debian"), Yes, Yes),
        ("Debian GNU/Linux", "13", "x86_64", Some("debian"), No, No),
        ("Red Hat Enterprise Linux Server", "6.10", "x86_64", Some("rhel"), No, No),
        ("Red Hat Enterprise Linux Server", "7.2", "x86_64", Some("rhel"), Yes, Yes),
        ("Red Hat Enterprise Linux Server", "7.2", "arm64", Some("rhel"), No, No),
        ("Red Hat Enterprise Linux Server", "7.9", "arm64", Some("rhel"), Yes, Yes),
        ("Red Hat Enterprise Linux", "8.0", "x86_64", Some("rhel"), Yes, Yes),
        ("Red Hat Enterprise Linux", "8.10", "x86_64", Some("rhel"), Yes, Yes),
        ("Red Hat Enterprise Linux", "9.4", "arm64", Some("rhel"), Yes, Yes),
        ("Red Hat Enterprise Linux", "10.0", "x86_64", Some("rhel"), Yes, Yes),
        ("CentOS Linux", "7.6.2004", "x86_64", Some("centos"), No, No),
        ("CentOS Linux", "8", "x86_64", Some("centos"), No, No),
        ("CentOS Stream", "8", "x86_64", Some("centos-stream"), No, No),
        ("CentOS Stream", "9", "x86_64", Some("centos-stream"), Yes, Yes),
        ("CentOS Stream", "10", "x86_64", Some("centos-stream"), No, No),
        ("Oracle Linux Server", "7.4", "x86_64", Some("oracle-linux"), No, No),
        ("Oracle Linux Server", "7.9", "x86_64", Some("oracle-linux"), Yes, Yes),
        ("Oracle Linux Server", "8.9", "x86_64", Some("oracle-linux"), Yes, Yes),
        ("Oracle Linux Server", "9.4", "arm64", Some("oracle-linux"), No, No),
        ("Oracle Linux Server", "10.0", "x86_64", Some("oracle-linux"), No, No),
        ("Rocky Linux", "8.9", "x86_64", Some("rocky"), Yes, Yes),
        ("Rocky Linux", "9.4", "arm64", Some("rocky"), Yes, Yes),
        ("Rocky Linux", "10.0", "x86_64", Some("rocky"), No, Yes),
        ("AlmaLinux", "8.2", "x86_64", Some("alma"), Yes, No),
        ("AlmaLinux", "8.10", "x86_64", Some("alma"), Yes, Yes),
        ("AlmaLinux", "9.4", "arm64", Some("alma"), Yes, Yes),
        ("AlmaLinux", "10.0", "x86_64", Some("alma"), No, No),
        ("SLES", "12.5", "x86_64", Some("sles"), No, No),
        ("SLES", "15.1", "x86_64", Some("sles"), No, No),
        ("SLES", "15.3", "x86_64", Some("sles"), Yes, Yes),
        ("SLES", "15.6", "arm64", Some("sles"), Yes, Yes),
        ("SLES_SAP", "15.5", "x86_64", Some("sles"), Yes, Yes),
        ("SLES", "16.0", "x86_64", Some("sles"), Unknown, Unknown),
        ("Microsoft Windows Server 2008 R2 Datacenter", "6.1.7601", "x86_64", Some("windows-server"), No, No),
        ("Microsoft Windows Server 2012 R2 Standard", "6.3.9600", "x86_64", Some("windows-server"), Yes, Yes),
        ("Microsoft Windows Server 2019 Datacenter", "10.0.17763", "x86_64", Some("windows-server"), Yes, Yes),
        ("Microsoft Windows Server 2025 Datacenter", "10.0.26100", "x86_64", Some("windows-server"), Yes, Yes),
        ("Microsoft Windows Server Datacenter", "10.0.20348", "x86_64", Some("windows-server"), Yes, Yes),
        ("Microsoft Windows 11 Pro", "10.0.22631", "x86_64", Some("windows-client"), No, No),
        ("macOS", "14.5", "arm64_mac", Some("macos"), Yes, Yes),
        ("Mac OS X", "12.6", "x86_64_mac", Some("macos"), No, No),
        ("Bottlerocket", "1.20.0", "x86_64", Some("bottlerocket"), No, Yes),
        ("Fedora Linux", "41", "x86_64", Some("fedora"), No, No),
        ("Alpine Linux", "3.20", "x86_64", None, Unknown, Unknown),
    ];
    let tables = Tables::builtin().unwrap();
    for (name, version, architecture, os, patching, agent) in rows {
        let observed = Observed {
            platform_name: Some(name),
            platform_version: Some(version),
            architecture: Some(architecture),
            ..Observed::default()
        };
        let platform = identify(&tables, &observed);
        assert_eq!(platform.os.as_deref(), os, "{name} {version}");
        assert_eq!(patch_manager_support(&tables, &platform).0, patching, "Patch Manager on {name} {version} {architecture}");
        assert_eq!(agent_support(&tables, &platform).0, agent, "agent on {name} {version} {architecture}");
    }
}

/// Image name, owner → system, version, Patch Manager.
#[test]
fn what_images_are_called() {
    let rows: [(&str, &str, Option<(&str, Option<&str>)>, Answer); 26] = [
        ("al2023-ami-2023.6.20241031.0-kernel-6.1-x86_64", AMAZON, Some(("amazon-linux-2023", Some("2023"))), Yes),
        ("al2023-ami-minimal-2023.6.20241031.0-kernel-6.1-arm64", AMAZON, Some(("amazon-linux-2023", Some("2023"))), Yes),
        ("al2023-ami-2023.6.20241031.0-kernel-6.1-x86_64", "123456789012", None, Unknown),
        ("al2023-ami-ecs-hvm-2023.0.20241031-kernel-6.1-x86_64", "591542846629", Some(("amazon-linux-2023", Some("2023"))), Yes),
        ("amazon-eks-node-al2023-x86_64-standard-1.30-v20241024", "602401143452", Some(("amazon-linux-2023", Some("2023"))), Yes),
        ("amazon-eks-node-1.29-v20240202", "602401143452", Some(("amazon-linux-2", Some("2"))), Yes),
        ("amzn2-ami-kernel-5.10-hvm-2.0.20241031.0-x86_64-gp2", AMAZON, Some(("amazon-linux-2", Some("2"))), Yes),
        ("amzn2-ami-hvm-2.0.20241031.0-arm64-gp2", "amazon", Some(("amazon-linux-2", Some("2"))), Yes),
        ("amzn-ami-hvm-2018.03.0.20231218.0-x86_64-gp2", AMAZON, Some(("amazon-linux-1", Some("2018.03"))), No),
        ("Windows_Server-2022-English-Full-Base-2024.10.09", WINDOWS, Some(("windows-server", Some("2022"))), Yes),
        ("Windows_Server-2012-R2_RTM-English-64Bit-Base-2023.09.13", WINDOWS, Some(("windows-server", Some("2012"))), Yes),
        ("Windows_Server-2025-English-Core-Base-2025.01.15", "amazon", Some(("windows-server", Some("2025"))), Yes),
        ("RHEL-9.4.0_HVM-20240605-x86_64-82-Hourly2-GP3", RED_HAT, Some(("rhel", Some("9.4"))), Yes),
        ("RHEL-8.10.0_HVM-20240514-x86_64-82-Access2-GP3", RED_HAT, Some(("rhel", Some("8.10"))), Yes),
        ("RHEL_HA-8.4.0_HVM-20210504-x86_64-2-Hourly2-GP2", RED_HAT, Some(("rhel", Some("8.4"))), Yes),
        ("ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20241002", CANONICAL, Some(("ubuntu", Some("22.04"))), Yes),
        ("ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-20241004", CANONICAL, Some(("ubuntu", Some("24.04"))), Yes),
        ("ubuntu/images/hvm-ssd/ubuntu-xenial-16.04-amd64-server-20210928", CANONICAL, Some(("ubuntu", Some("16.04"))), No),
        ("ubuntu-minimal/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-minimal-20241004", CANONICAL, Some(("ubuntu", Some("24.04"))), Yes),
        ("ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20241002", "123456789012", None, Unknown),
        ("debian-12-amd64-20241004-1890", "136693071363", Some(("debian", Some("12"))), Yes),
        ("suse-sles-15-sp6-v20240808-hvm-ssd-x86_64", "013907871322", Some(("sles", Some("15.6"))), Yes),
        ("suse-sles-sap-15-sp2-v20240808-hvm-ssd-x86_64", "013907871322", Some(("sles", Some("15.2"))), No),
        ("Rocky-9-EC2-Base-9.4-20240523.0.x86_64", "792107900819", Some(("rocky", Some("9.4"))), Yes),
        ("AlmaLinux OS 9.4.20240513 x86_64", "764336703387", Some(("alma", Some("9.4"))), Yes),
        ("company-golden-image-2024-11", "222222222222", None, Unknown),
    ];
    let tables = Tables::builtin().unwrap();
    for (name, owner, expected, patching) in rows {
        let (owner, alias) = if owner == "amazon" { (None, Some(owner)) } else { (Some(owner), None) };
        let observed = Observed { image_name: Some(name), image_owner: owner, image_owner_alias: alias, ..Observed::default() };
        let platform = identify(&tables, &observed);
        assert_eq!(platform.os.as_deref().map(|os| (os, platform.version.as_deref())), expected, "{name}");
        assert_eq!(patch_manager_support(&tables, &platform).0, patching, "Patch Manager on {name}");
    }
}

/// EC2's platform details, instance type → system, family.
#[test]
fn what_ec2_says() {
    use super::Family::{Linux, MacOs, Windows};
    let rows = [
        ("Linux/UNIX", "t3.small", None, Some(Linux)),
        ("Linux/UNIX", "mac2.metal", None, Some(MacOs)),
        ("Red Hat Enterprise Linux", "t3.small", Some("rhel"), Some(Linux)),
        ("Red Hat BYOL Linux", "t3.small", Some("rhel"), Some(Linux)),
        ("Red Hat Enterprise Linux with HA", "t3.small", Some("rhel"), Some(Linux)),
        ("SUSE Linux", "t3.small", Some("sles"), Some(Linux)),
        ("Ubuntu Pro", "t3.small", Some("ubuntu"), Some(Linux)),
        ("Windows", "t3.small", Some("windows-server"), Some(Windows)),
        ("Windows BYOL", "t3.small", Some("windows-server"), Some(Windows)),
        ("Windows with SQL Server Standard", "t3.small", Some("windows-server"), Some(Windows)),
        ("SQL Server Enterprise", "t3.small", None, None),
        ("", "t3.small", None, None),
    ];
    let tables = Tables::builtin().unwrap();
    for (details, kind, os, family) in rows {
        let observed = Observed { platform_details: Some(details), instance_type: Some(kind), ..Observed::default() };
        let platform = identify(&tables, &observed);
        assert_eq!((platform.os.as_deref(), platform.family), (os, family), "{details} on {kind}");
        assert_eq!(patch_manager_support(&tables, &platform).0, Unknown, "a system without a version is not judged: {details}");
    }
}

#[test]
fn the_agent_beats_the_image() {
    let tables = Tables::builtin().unwrap();
    let upgraded = Observed {
        platform_name: Some("Ubuntu"),
        platform_version: Some("22.04"),
        image_name: Some("ubuntu/images/hvm-ssd/ubuntu-xenial-16.04-amd64-server-20210928"),
        image_owner: Some(CANONICAL),
        ..Observed::default()
    };
    assert_eq!(identify(&tables, &upgraded).name, "Ubuntu 22.04");
}

#[test]
fn vendor_support_ends_when_the_table_says() {
    let rows = [
        ("Amazon Linux", "2", Some("2026-06-30")),
        ("Amazon Linux", "2023", Some("2029-06-30")),
        ("Red Hat Enterprise Linux Server", "7.9", Some("2024-06-30")),
        ("Red Hat Enterprise Linux", "9.4", None),
        ("Microsoft Windows Server 2012 R2 Standard", "6.3.9600", Some("2023-10-10")),
        ("Ubuntu", "24.04", None),
    ];
    let tables = Tables::builtin().unwrap();
    for (name, version, ends) in rows {
        let platform = identify(&tables, &Observed { platform_name: Some(name), platform_version: Some(version), ..Observed::default() });
        assert_eq!(vendor_support_end(&tables, &platform).map(|date| date.to_string()).as_deref(), ends, "{name} {version}");
    }
}

#[test]
fn a_users_table_is_laid_over() {
    let own = "as_of: 2027-01-01\nsystems:\n  - {id: debian, name: Debian, family: linux, platform_names: [Debian], patch_manager: [{from: \"13\", to: \"13\"}]}\n";
    let tables = Tables::with_override(own, "own.yaml").unwrap();
    let platform =
        identify(&tables, &Observed { platform_name: Some("Debian GNU/Linux"), platform_version: Some("13"), ..Observed::default() });
    assert_eq!(patch_manager_support(&tables, &platform), (Yes, "Patch Manager supports Debian 13 (as of 2027-01-01)".to_owned()));
    for (broken, place) in [
        ("as_of: 1\n", "own.yaml"),
        ("as_of: x\nsystems:\n  - {id: a, nam: b}\n", "nam"),
        ("as_of: x\nsystems: [{id: a, name: b, family: linux, platform_names: [], patch_manager: [{from: x, to: y}]}]", "system a"),
    ] {
        let error = Tables::with_override(broken, "own.yaml").unwrap_err().to_string();
        assert!(error.contains(place), "{error}");
    }
}
