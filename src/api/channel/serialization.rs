//! Advanced serialisation: by calling V8 directly if its binary interface is known, otherwise through `node:v8`.

use std::sync::Arc;

use napi::bindgen_prelude::{JsObjectValue, Object};
use napi::{Env, Result, Unknown};

use crate::channel::shared::Bytes;
use crate::engine::{self, Held, Memory, Part, Wrapper};
use crate::v8::{self, Abi};

/// NODE_MODULE_VERSION of Node 20, 22, 24 and 26: the versions with which `src/v8` has been tested.
const KNOWN_ENGINES: [&str; 4] = ["115", "127", "137", "147"];

/// Serialises and deserialises values.
pub(in crate::api) struct Serialization {
    abi: Option<&'static Abi>,
    pub(super) buffer_class: Held,
    /// The functions of `lib/channel/serialization.js`, which use `node:v8`.
    serialize: Held,
    deserialize: Held,
}

impl Serialization {
    /// `modules`: see [`super::Node`].
    pub fn new(env: &Env, modules: &Unknown) -> Result<Self> {
        let functions = engine::property(env, modules, c"serialization")?;
        let held = |object, name| Held::new(env, &engine::property(env, object, name)?);
        Ok(Self {
            abi: if is_known_engine(env)? { Abi::get() } else { None },
            buffer_class: held(modules, c"Buffer")?,
            serialize: held(&functions, c"serialize")?,
            deserialize: held(&functions, c"deserialize")?,
        })
    }

    /// Serialises `value` and passes the bytes, with V8's header, to `use_bytes`. Getters run before that.
    ///
    /// # Errors
    /// `Status::PendingException`: the value cannot be cloned.
    pub fn write<T>(&self, env: &Env, value: &Unknown, use_bytes: impl FnOnce(&[u8]) -> T) -> Result<T> {
        if let Some(abi) = self.abi {
            return v8::serialize(env, abi, &self.buffer_class, value, use_bytes);
        }
        let buffer = engine::call(env, &self.serialize, [value])?;
        engine::with_bytes(env, &buffer, use_bytes)
            .ok_or_else(|| napi::Error::from_reason("child-process-rs: node:v8 has given no bytes"))
    }

    /// Deserialises `bytes`.
    ///
    /// # Errors
    /// `Status::PendingException`: they are not a valid value.
    pub fn read<'a>(&self, env: &'a Env, bytes: &[u8]) -> Result<Unknown<'a>> {
        if let Some(abi) = self.abi
            && let Some(value) = v8::deserialize(env, abi, bytes, None)?
        {
            return Ok(value);
        }
        engine::call(env, &self.deserialize, [&engine::buffer(env, bytes)?])
    }

    /// Deserialises bytes from shared memory. Large Buffers in the value keep using the memory of `bytes`.
    ///
    /// # Errors
    /// `Status::PendingException`: they are not a valid value.
    pub fn read_shared<'a>(&self, env: &'a Env, bytes: Bytes) -> Result<Unknown<'a>> {
        let mapping = match bytes {
            Bytes::Small(bytes) => return self.read(env, &bytes),
            Bytes::Large(mapping) => Arc::new(mapping),
        };
        let take_part = |range| {
            let part = Part { memory: Memory::Mapping(Arc::clone(&mapping)), range };
            engine::adopt_bytes(env, part, Wrapper::Buffer)
        };
        let Some(abi) = self.abi else {
            return engine::call(env, &self.deserialize, [&take_part(0..mapping.length())?]);
        };
        match v8::deserialize(env, abi, mapping.bytes(), Some(&take_part))? {
            Some(value) => Ok(value),
            None => engine::call(env, &self.deserialize, [&engine::buffer(env, mapping.bytes())?]),
        }
    }
}

/// Whether V8's binary interface is known, and `CHILD_PROCESS_RS_SERIALIZER` does not demand `node:v8`.
fn is_known_engine(env: &Env) -> Result<bool> {
    let process = env.get_global()?.get_named_property::<Object>("process")?;
    let versions = process.get_named_property::<Object>("versions")?;
    let version = versions.get_named_property::<String>("modules")?;
    let wanted = std::env::var_os("CHILD_PROCESS_RS_SERIALIZER");
    Ok(KNOWN_ENGINES.contains(&version.as_str()) && wanted.is_none_or(|wanted| wanted != "node"))
}
