//! Holds the attributes of one element to its type.

use std::borrow::Cow;

use crate::report::Code;
use crate::schema::{Message, Schemas, Type};
use crate::validate::Namespaces;
use crate::value;
use crate::wording::shorten;
use crate::xml::Attribute;

/// The namespace of `xsi:schemaLocation` and its like, which may stand on any element.
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Reports every attribute in `given` that `ty`, a type of `message`, does not allow, and every one
/// that is missing.
pub(crate) fn check(
    ty: &'static Type,
    message: &Message,
    namespaces: &Namespaces<'_, '_>,
    given: &[Attribute<'_>],
    mut report: impl FnMut(Code, Cow<'static, str>),
) {
    let is_declaration = |name: &str| name == "xmlns" || name.starts_with("xmlns:");
    for attribute in given.iter().filter(|attribute| !is_declaration(attribute.name)) {
        let expanded = namespaces.attribute(attribute.name);
        let declared = ty.attributes.iter().find(|declared| declared.name == expanded.local);
        match (expanded.namespace, declared) {
            (None, Some(declared)) => {
                let simple = Schemas::get().attribute_type(declared);
                let verdict =
                    simple.map_or(Ok(()), |simple| value::check(simple, &attribute.value));
                if let Err((code, sentence)) = verdict {
                    report(code, format!("{}: {sentence}", declared.name).into());
                }
            }
            (Some(INSTANCE), _) if fits_instance(ty, message, namespaces, attribute) => {}
            _ => {
                let sentence = format!("attribute {} is not allowed", shorten(attribute.name));
                report(Code::AttributeUnexpected, sentence.into());
            }
        }
    }
    for declared in &ty.attributes {
        if !given.iter().any(|attribute| attribute.name == declared.name) {
            let sentence = format!("attribute {} is missing", declared.name);
            report(Code::AttributeMissing, sentence.into());
        }
    }
}

/// Where the schema is said to lie does not matter; `xsi:type` may only repeat the type that the
/// schema gives; nothing may be nil.
fn fits_instance(
    ty: &Type,
    message: &Message,
    namespaces: &Namespaces<'_, '_>,
    attribute: &Attribute<'_>,
) -> bool {
    match namespaces.attribute(attribute.name).local {
        "schemaLocation" | "noNamespaceSchemaLocation" => true,
        "type" => {
            let named = namespaces.element(&attribute.value);
            message.has_namespace(named.namespace) && named.local == ty.name
        }
        _ => false,
    }
}
