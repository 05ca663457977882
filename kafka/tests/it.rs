//! Against a real broker, the one at UFO_BROKERS. One binary, so that it is linked once.

#[path = "it/broker.rs"]
mod broker;
#[path = "it/contract.rs"]
mod contract;
#[path = "it/rebalances.rs"]
mod rebalances;
#[path = "it/transactions.rs"]
mod transactions;
#[path = "it/unreachable.rs"]
mod unreachable;
