//! This process's end of the channel of a child that is about to be launched.

use std::rc::Rc;

use napi::bindgen_prelude::{JsValue, Object};
use napi::{Env, Result, Unknown, ValueType};

use super::channel::{self, Channel, Settings};
use super::process::Child;
use crate::engine;
use crate::options::channel::Channel as Options;
use crate::options::{Context, kind, option};

pub(super) struct Link<'a> {
    pub channel: Rc<Channel>,
    /// The Channel.
    pub object: Unknown<'a>,
    /// The child's descriptor.
    fd: usize,
    /// The secret with which a native end introduces itself.
    secret: Option<String>,
}

impl<'a> Link<'a> {
    /// Creates the channel. Calls `events.onchannel()` now, which loads the files of `lib/` for channels: once there is
    /// a child, loading could fail, because no descriptors are left or the files have been deleted. `None` if `events`
    /// has no `runtime`, and so wants no channel.
    pub fn new(
        context: &Context<'a>,
        events: Object<'a>,
        options: &Options,
        secret: Option<String>,
    ) -> Result<Option<Self>> {
        let env = context.env;
        let runtime = option(&events, c"runtime")?;
        if kind(&runtime)? != ValueType::Number {
            return Ok(None);
        }
        let runtime = engine::to_f64(env, &runtime)? as u32;
        let onchannel = option(&events, c"onchannel")?;
        let events = match kind(&onchannel)? {
            ValueType::Function => {
                engine::call_value(env, &onchannel, &events.to_unknown(), [])?.coerce_to_object()?
            }
            _ => events,
        };
        let Options { fd, serialization, busy_poll, max_message_size, .. } = options;
        let settings = Settings::read(context, serialization, busy_poll, max_message_size)?;
        let (object, channel) = channel::create(env, runtime, events, settings)?;
        Ok(Some(Self { channel, object, fd: *fd, secret }))
    }

    /// Opens the channel. If that fails, the child must not be started.
    pub fn open(&self, env: &Env, child: &Child) -> Result<()> {
        let Some(socket) = child.take_end(self.fd) else { return Ok(()) };
        self.channel.open(env, socket).map_err(|(error, _)| error)?;
        if let Some(secret) = &self.secret {
            self.channel.expect(secret.clone());
        }
        self.channel.set_referenced(true);
        Ok(())
    }
}
