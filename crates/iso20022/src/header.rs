//! head.001: the application header in front of a document.

use etibar_primitives::BlockTime;

use crate::calendar::render_moment;
use crate::fields::Text;
use crate::message::ParseError;
use crate::party::{Agent, moment};
use crate::schema::NAMESPACE_PREFIX;
use crate::tree::Node;
use crate::writer::Writer;

/// Who sends which message to whom. Signatures and related headers are not read.
///
/// Source: head.001.001.02, `BusinessApplicationHeaderV02`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// `Fr`: the sender; nobody where the message names an organisation that is no agent.
    pub from: Agent,
    /// `To`: the receiver, likewise.
    pub to: Agent,
    /// `BizMsgIdr`: chosen by the sender, unique for it.
    pub business_message_id: Text<35>,
    /// `MsgDefIdr`: the message that follows, `pacs.008.001.08`.
    pub message_name: Text<35>,
    /// `BizSvc`: the service the message belongs to.
    pub business_service: Option<Text<35>>,
    /// `CreDt`.
    pub created: BlockTime,
    /// `PssblDplct`: the sender may have sent the message before.
    pub possible_duplicate: bool,
}

impl Header {
    /// The message definition.
    pub const NAME: &'static str = "head.001.001.02";

    pub(crate) fn read(header: Node<'_>) -> Result<Self, ParseError> {
        let agent = |path| Ok(Agent::read_at(header, path)?.unwrap_or_default());
        let duplicate = header.text_of("PssblDplct").map(crate::xml::trim);
        Ok(Self {
            from: agent("Fr/FIId")?,
            to: agent("To/FIId")?,
            business_message_id: header.demand("BizMsgIdr", Text::new)?,
            message_name: header.demand("MsgDefIdr", Text::new)?,
            business_service: header.read("BizSvc", Text::new)?,
            created: header.demand("CreDt", moment)?,
            possible_duplicate: matches!(duplicate, Some("true" | "1")),
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.element("Fr", |writer| self.from.write(writer, "FIId"));
        writer.element("To", |writer| self.to.write(writer, "FIId"));
        writer.leaf("BizMsgIdr", &self.business_message_id);
        writer.leaf("MsgDefIdr", &self.message_name);
        writer.leaf_if("BizSvc", self.business_service.as_ref());
        writer.leaf("CreDt", render_moment(self.created));
        writer.leaf_if("PssblDplct", self.possible_duplicate.then_some(true));
    }

    /// The header alone.
    pub fn render(&self) -> String {
        let namespace = format!("{NAMESPACE_PREFIX}{}", Self::NAME);
        Writer::document("AppHdr", &namespace, |writer| self.write(writer))
    }

    /// The header and a rendered document behind it, in the envelope of this network.
    pub fn render_with(&self, document: &str) -> String {
        let document = document.split_once("?>").map_or(document, |(_, document)| document).trim();
        Writer::document("Envelope", "urn:etibar:envelope:1", |writer| {
            let namespace = format!("{NAMESPACE_PREFIX}{}", Self::NAME);
            writer.attributed("AppHdr", "xmlns", &namespace, |writer| self.write(writer));
            writer.rendered(document);
        })
    }
}
