//! Measurements over real sockets on this machine, through wires that hold datagrams back.

mod certificates;
mod misfits;
mod provers;
mod proxies;
mod world;
