//! The advanced serialization: by V8 itself where its interface is a known one, else by `node:v8`.

use std::sync::Arc;

use napi::bindgen_prelude::{JsObjectValue, Object};
use napi::{Env, Result, Unknown};

use crate::channel::shared::Bytes;
use crate::engine::{self, Held, Memory, Part, Wrapper};
use crate::v8::{self, Abi};

/// NODE_MODULE_VERSION of Node 20, 22, 24 and 26: what the interface of V8 was tried with (`src/v8`).
const KNOWN_ENGINES: [&str; 4] = ["115", "127", "137", "147"];

/// What serialises values.
pub(in crate::api) struct Serialization {
    abi: Option<&'static Abi>,
    pub(super) buffer_class: Held,
    /// What `node:v8` does, through `lib/serialization.js`.
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

    /// Gives `use_bytes` the bytes of `value`, with V8's header. What a getter does happens before.
    ///
    /// # Errors
    /// `Status::PendingException`: it cannot be cloned.
    pub fn write<T>(&self, env: &Env, value: &Unknown, use_bytes: impl FnOnce(&[u8]) -> T) -> Result<T> {
        if let Some(abi) = self.abi {
            return v8::serialize(env, abi, &self.buffer_class, value, use_bytes);
        }
        let buffer = engine::call(env, &self.serialize, [value])?;
        engine::with_bytes(env, &buffer, use_bytes)
            .ok_or_else(|| napi::Error::from_reason("child-process-rs: node:v8 has given no bytes"))
    }

    /// The value of `bytes`.
    ///
    /// # Errors
    /// `Status::PendingException`: they are no value's.
    pub fn read<'a>(&self, env: &'a Env, bytes: &[u8]) -> Result<Unknown<'a>> {
        if let Some(abi) = self.abi
            && let Some(value) = v8::deserialize(env, abi, bytes, None)?
        {
            return Ok(value);
        }
        engine::call(env, &self.deserialize, [&engine::buffer(env, bytes)?])
    }

    /// The value of bytes in memory of their own, where its large Buffers stay.
    ///
    /// # Errors
    /// `Status::PendingException`: they are no value's.
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

/// Whether V8's interface is one that this was tried with, and nobody has asked for `node:v8`.
fn is_known_engine(env: &Env) -> Result<bool> {
    let process = env.get_global()?.get_named_property::<Object>("process")?;
    let versions = process.get_named_property::<Object>("versions")?;
    let version = versions.get_named_property::<String>("modules")?;
    let wanted = std::env::var_os("CHILD_PROCESS_RS_SERIALIZER");
    Ok(KNOWN_ENGINES.contains(&version.as_str()) && wanted.is_none_or(|wanted| wanted != "node"))
}
