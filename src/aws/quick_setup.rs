//! Quick Setup: the configurations that exist already, in the management account.

use super::desk::Desk;
use super::shapes::Shape;
use crate::snapshot::global as file;

const LIST: &str = "ssm-quicksetup:ListConfigurationManagers";
const GET: &str = "ssm-quicksetup:GetConfigurationManager";
const PAGE: i32 = 100;

pub(super) async fn look(desk: &Desk) -> Option<file::GetConfigurationManager> {
    let client = desk.quick_setup();
    let arns = desk.pages(
        LIST,
        |token| client.list_configuration_managers().max_items(PAGE).set_starting_token(token).send(),
        |page| {
            let arns = page.configuration_managers_list.map(|managers| managers.into_iter().map(|manager| manager.manager_arn).collect());
            (arns, page.next_token)
        },
    );
    let arns: Vec<String> = arns.await?;
    let mut configuration_managers = Vec::new();
    for arn in arns {
        let manager = desk.once(GET, client.get_configuration_manager().manager_arn(&arn).send()).await?;
        configuration_managers.push(file::ConfigurationManager {
            manager_arn: Some(manager.manager_arn),
            name: manager.name,
            description: manager.description,
            configuration_definitions: manager.configuration_definitions.shape(),
            status_summaries: manager.status_summaries.shape(),
            tags: manager.tags.shape(),
        });
    }
    Some(file::GetConfigurationManager { configuration_managers })
}
