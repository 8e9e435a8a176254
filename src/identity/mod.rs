//! Where an instance's permissions come from: its instance profile, else the Default Host Management Configuration (DHMC).
//!
//! Sources: <https://docs.aws.amazon.com/systems-manager/latest/userguide/fleet-manager-default-host-management-configuration.html>,
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html>.

use crate::model::Region;
use crate::model::known::Known;
use crate::snapshot::ec2::Instance;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity<'a> {
    /// The ARN of the instance profile.
    pub instance_profile: Option<&'a str>,
    /// The role that DHMC gives to instances without a profile; `None` when DHMC is off.
    pub dhmc_role: Known<Option<&'a str>>,
}

impl<'a> Identity<'a> {
    pub fn of(region: &Region<'a>, instance: &'a Instance) -> Self {
        let profile = instance.iam_instance_profile.as_ref();
        let instance_profile = profile.and_then(|profile| profile.arn.as_deref().or(profile.id.as_deref()));
        Self { instance_profile, dhmc_role: dhmc_role(region) }
    }

    pub fn is_dhmc_on(&self) -> Known<bool> {
        self.dhmc_role.clone().map(|role| role.is_some())
    }

    /// The instance profile is tried first, so DHMC counts only without one.
    pub fn relies_on_dhmc(&self) -> Known<bool> {
        if self.instance_profile.is_some() { Known::Known(false) } else { self.is_dhmc_on() }
    }
}

/// The setting is per account and Region. AWS does not document its value for "off"; `$None` and an empty one were seen.
fn dhmc_role<'a>(region: &Region<'a>) -> Known<Option<&'a str>> {
    let Some(file) = &region.files.service_setting else {
        return Known::Unknown(vec![region.not_collected("ssm:GetServiceSetting")]);
    };
    let setting = &file.service_setting;
    let is_default = setting.status.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("Default"));
    let role = setting.setting_value.as_deref().filter(|role| !role.is_empty() && *role != "$None" && !is_default);
    Known::Known(role)
}
