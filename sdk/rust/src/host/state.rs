//! The plugin's own small state, its settings and its secrets.

use bytes::Bytes;
use wharf_proto::v1;

use super::{Host, StateScope};
use crate::Error;

/// A piece of state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Changes with every write; 0 means that there is none yet.
    pub revision: u64,
    /// At most 64 KiB.
    pub value: Vec<u8>,
}

impl Host {
    pub(crate) async fn secret(&self, name: &str) -> Result<Bytes, Error> {
        let request = v1::GetSecretRequest { name: name.to_owned() };
        let answer = self.client()?.get_secret(request).await;
        let answer = answer.map_err(|status| Error::from_status("GetSecret", &status))?;
        Ok(answer.into_inner().value.into())
    }

    pub(crate) async fn settings(&self) -> Result<String, Error> {
        let answer = self.client()?.get_settings(v1::GetSettingsRequest {}).await;
        let answer = answer.map_err(|status| Error::from_status("GetSettings", &status))?;
        Ok(answer.into_inner().settings)
    }

    pub(crate) async fn get_state(
        &self,
        scope: StateScope,
        key: &str,
    ) -> Result<Option<State>, Error> {
        let request = v1::GetStateRequest { scope: scope.into(), key: key.to_owned() };
        let answer = self.client()?.get_state(request).await;
        let answer = answer.map_err(|status| Error::from_status("GetState", &status))?;
        let v1::GetStateResponse { revision, value } = answer.into_inner();
        Ok((revision != 0).then_some(State { revision, value }))
    }

    pub(crate) async fn put_state(
        &self,
        scope: StateScope,
        key: &str,
        State { revision, value }: State,
        durable: bool,
    ) -> Result<u64, Error> {
        let (scope, key) = (scope.into(), key.to_owned());
        let request = v1::PutStateRequest { scope, key, value, revision, durable };
        let answer = self.client()?.put_state(request).await;
        let answer = answer.map_err(|status| Error::from_status("PutState", &status))?;
        Ok(answer.into_inner().revision)
    }
}
