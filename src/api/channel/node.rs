//! The functions, modules and classes of Node that channels use.

use std::cell::{OnceCell, RefCell};
use std::ffi::CStr;
use std::io;
use std::os::fd::{IntoRawFd, OwnedFd};
use std::rc::Rc;

use napi::bindgen_prelude::Object;
use napi::{Env, Error, JsValue, Result, Unknown};

use super::functions::{Functions, Numbered};
use super::{Channel, Serialization};
use crate::channel::handles::Socket;
use crate::engine::{self, Call, Held};
use crate::options::Context;
use crate::sys;

/// Functions and modules of Node, and of the realm in which the package was loaded. Each loaded copy of `lib/` has one.
pub(in crate::api) struct Node {
    hooks: Held,
    pub parse: Held,
    pub stringify: Held,
    pub next_tick: Held,
    /// An object with a getter for each Node module that is needed, which loads the module.
    modules: Held,
    serialization: OnceCell<Serialization>,
    net: OnceCell<Held>,
    dgram: OnceCell<Held>,
    /// The classes of libuv handles: TCP, Pipe and UDP. Node does not export them.
    handle_classes: RefCell<[Option<Held>; 3]>,
    do_nothing: OnceCell<Held>,
    channels: Rc<Numbered>,
    functions: OnceCell<Functions>,
}

impl Node {
    /// `hooks` is the argument of `open`.
    pub fn new(env: &Env, hooks: &Object) -> Result<Self> {
        let hooks = Held::new(env, hooks)?;
        let modules = engine::property(env, &hooks.get(env)?, c"node")?;
        let json = engine::property(env, &modules, c"JSON")?;
        Ok(Self {
            parse: Held::new(env, &engine::property(env, &json, c"parse")?)?,
            stringify: Held::new(env, &engine::property(env, &json, c"stringify")?)?,
            next_tick: Held::new(env, &engine::property(env, &modules, c"nextTick")?)?,
            modules: Held::new(env, &modules)?,
            hooks,
            serialization: OnceCell::new(),
            net: OnceCell::new(),
            dgram: OnceCell::new(),
            handle_classes: RefCell::default(),
            do_nothing: OnceCell::new(),
            channels: Rc::default(),
            functions: OnceCell::new(),
        })
    }

    /// The context in which Node's errors are created.
    pub fn context<'a>(&self, env: &'a Env) -> Result<Context<'a>> {
        Ok(Context::new(env, Some(self.hooks.get(env)?.coerce_to_object()?)))
    }

    /// An error of a channel that cannot be opened.
    pub fn channel_error(&self, env: &Env, error: &io::Error) -> Error {
        self.context(env)
            .map_or_else(|failure| failure, |context| context.system_error(sys::errno(error), "ipc"))
    }

    /// One of Node's modules.
    pub fn module<'a>(&self, env: &'a Env, name: &CStr) -> Result<Unknown<'a>> {
        engine::property(env, &self.modules.get(env)?, name)
    }

    fn kept<'a>(&self, env: &'a Env, place: &OnceCell<Held>, name: &CStr) -> Result<Unknown<'a>> {
        get_or_make(place, || Held::new(env, &self.module(env, name)?))?.get(env)
    }

    pub fn net<'a>(&self, env: &'a Env) -> Result<Unknown<'a>> {
        self.kept(env, &self.net, c"net")
    }

    pub fn dgram<'a>(&self, env: &'a Env) -> Result<Unknown<'a>> {
        self.kept(env, &self.dgram, c"dgram")
    }

    /// Gives a new channel its number.
    pub fn number(&self, channel: &Rc<Channel>) -> u32 {
        self.channels.add(channel)
    }

    /// The functions that JavaScript calls for every message.
    pub(super) fn functions(&self, env: &Env) -> Result<&Functions> {
        get_or_make(&self.functions, || Functions::new(env, &self.channels))
    }

    /// A function that does nothing.
    pub fn do_nothing<'a>(&self, env: &'a Env) -> Result<Unknown<'a>> {
        let make = || Held::new(env, &engine::function(env, |_, _: &Call<0>| Ok(None))?);
        get_or_make(&self.do_nothing, make)?.get(env)
    }

    /// The advanced serialization.
    pub fn serialization(&self, env: &Env) -> Result<&Serialization> {
        get_or_make(&self.serialization, || Serialization::new(env, &self.modules.get(env)?))
    }

    /// Creates a libuv handle for `fd`, of which it becomes the owner.
    pub fn handle_for<'a>(&self, env: &'a Env, socket: Socket, fd: OwnedFd) -> Result<Unknown<'a>> {
        let place = socket as usize;
        if socket == Socket::Udp && self.handle_class(env, place)?.is_none() {
            self.keep_class(env, place, &self.datagram_handle(env)?)?;
        }
        let Some(class) = self.handle_class(env, place)? else {
            let handle = self.first_handle_for(env, fd)?;
            self.keep_class(env, place, &handle)?;
            return Ok(handle);
        };
        // The handle type 0 is a connection; it works for a server too.
        let handle = engine::construct(env, &class, [&engine::number(env, 0.0)?])?;
        let fd = fd.into_raw_fd();
        let opened = engine::call_method(env, &handle, c"open", [&engine::number(env, fd.into())?]);
        let errno = opened.and_then(|errno| engine::to_f64(env, &errno).or(Ok(0.0)));
        match errno {
            Ok(0.0) => Ok(handle),
            failed => {
                drop(sys::adopt(fd));
                Err(self.context(env)?.system_error(-(failed? as i32), "open"))
            }
        }
    }

    fn handle_class<'a>(&self, env: &'a Env, place: usize) -> Result<Option<Unknown<'a>>> {
        let classes = self.handle_classes.borrow();
        classes.get(place).and_then(Option::as_ref).map(|class| class.get(env)).transpose()
    }

    fn keep_class(&self, env: &Env, place: usize, handle: &Unknown) -> Result<()> {
        let class = Held::new(env, &engine::property(env, handle, c"constructor")?)?;
        if let Some(slot) = self.handle_classes.borrow_mut().get_mut(place) {
            *slot = Some(class);
        }
        Ok(())
    }

    /// Creates a libuv handle for `fd` through a temporary `net.Socket`, to learn the handle's class.
    fn first_handle_for<'a>(&self, env: &'a Env, fd: OwnedFd) -> Result<Unknown<'a>> {
        let class = engine::property(env, &self.net(env)?, c"Socket")?;
        let fd = fd.into_raw_fd();
        let (number, is_manual) = (engine::number(env, fd.into())?, engine::boolean(env, true)?);
        let options = engine::object(env, &[(c"fd", number), (c"manualStart", is_manual)])?;
        let socket = engine::construct(env, &class, [&options]).inspect_err(|_| drop(sys::adopt(fd)))?;
        let handle = engine::property(env, &socket, c"_handle")?;
        engine::set_property(env, &socket, c"_handle", &engine::null(env)?)?;
        Ok(handle)
    }

    fn datagram_handle<'a>(&self, env: &'a Env) -> Result<Unknown<'a>> {
        let kind = engine::string(env, b"udp4")?;
        let socket = engine::call_method(env, &self.dgram(env)?, c"createSocket", [&kind])?;
        let handle = handle_of_datagram(env, &socket)?;
        engine::call_method(env, &socket, c"close", [])?;
        Ok(handle)
    }
}

/// The value in `place`, made when it is first needed.
fn get_or_make<T>(place: &OnceCell<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    if let Some(value) = place.get() {
        return Ok(value);
    }
    let made = make()?;
    Ok(place.get_or_init(|| made))
}

/// The libuv handle of a `dgram.Socket`. It is in the socket's state object, under a symbol that Node does not export.
pub(super) fn handle_of_datagram<'a>(env: &'a Env, socket: &Unknown<'a>) -> Result<Unknown<'a>> {
    for symbol in engine::own_names(env, socket, engine::Names::Symbols)? {
        let mut description = vec![];
        let text = engine::property(env, &symbol, c"description")?;
        if engine::push_utf8(env, &text, &mut description).is_ok() && description == b"state symbol" {
            return engine::property(env, &engine::property_of(env, socket, &symbol)?, c"handle");
        }
    }
    engine::undefined(env)
}
