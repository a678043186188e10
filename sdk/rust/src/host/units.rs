//! Units by name, and units that are saved with an answer.

use futures_util::stream;
use prost::Message;
use wharf_proto::{MAX_BATCH, v1};

use super::Host;
use crate::Error;
use crate::model::{Unit, UnitRef};

/// Bytes of a message of units: the contract calls batches of that size the quickest.
const SAVED_BYTES: usize = 256 << 10;

/// What the host made of a unit that it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SavedUnit {
    /// The host's number.
    pub id: u64,
    /// It was not there before.
    pub created: bool,
}

impl Host {
    pub(crate) async fn get_units(&self, named: Vec<UnitRef>) -> Result<Vec<Unit>, Error> {
        let mut client = self.client()?;
        let mut found = Vec::with_capacity(named.len());
        let mut named = named.into_iter().map(|unit| unit.wire).peekable();
        while named.peek().is_some() {
            let units = named.by_ref().take(MAX_BATCH).collect();
            let answer = client.get_units(v1::GetUnitsRequest { units }).await;
            let answer = answer.map_err(|status| Error::from_status("GetUnits", &status))?;
            found.extend(answer.into_inner().units.into_iter().map(Unit::from));
        }
        Ok(found)
    }

    /// A message is sent when the one before is answered.
    pub(crate) async fn save_units(&self, units: Vec<Unit>) -> Result<Vec<SavedUnit>, Error> {
        let mut saved = Vec::with_capacity(units.len());
        let (mut message, mut bytes) = (v1::Units::default(), 0);
        for Unit { wire } in units {
            let size = wire.encoded_len();
            if message.units.len() == MAX_BATCH || (bytes > 0 && bytes + size > SAVED_BYTES) {
                self.save(std::mem::take(&mut message), &mut saved).await?;
                bytes = 0;
            }
            message.units.push(wire);
            bytes += size;
        }
        if !message.units.is_empty() {
            self.save(message, &mut saved).await?;
        }
        Ok(saved)
    }

    async fn save(&self, message: v1::Units, saved: &mut Vec<SavedUnit>) -> Result<(), Error> {
        let failed = |status| Error::from_status("SaveUnits", &status);
        let answers = self.client()?.save_units(stream::iter([message])).await;
        let mut answers = answers.map_err(failed)?.into_inner();
        while let Some(answer) = answers.message().await.map_err(failed)? {
            let units = answer.units.into_iter();
            saved.extend(units.map(|v1::SavedUnit { id, created }| SavedUnit { id, created }));
        }
        Ok(())
    }
}
