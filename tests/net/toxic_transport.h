// Any transport, with a ToxicProxy at both ends of each of its connections: so the contract suite can be run on it.
//
//   TransportCase{"Slow", [] -> … { return std::make_unique<ToxicTransport>(make_pipe(), toxics, options); }}
//
// Both directions of each end suffer from the same toxics.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipette/base/oracle.h"
#include "pipette/net/toxic_connection.h"

#include "tests/net/transport.h"

namespace pipette::net {

class ToxicTransport final : public Transport, private Runtime, private Network {
 public:
  ToxicTransport(std::unique_ptr<Transport> inner, const Toxics& toxics, const ChannelOptions& options = {})
      : inner_(std::move(inner)), proxy_(inner_->runtime().loop(), decisions_, options) {
    proxy_.set_toxics(toxics, toxics);
  }

  Runtime& runtime() override { return *this; }
  bool step() override { return inner_->step(); }
  Address any_address() override { return inner_->any_address(); }
  void exhaust_descriptors(const Address& listening) override { inner_->exhaust_descriptors(listening); }
  void restore_descriptors() override { inner_->restore_descriptors(); }
  bool may_hide_resets() const override { return inner_->may_hide_resets(); }

 private:
  class ToxicListener final : public Listener {
   public:
    ToxicListener(ToxicTransport& transport, std::unique_ptr<Listener> inner)
        : transport_(transport), inner_(std::move(inner)) {}
    Result<Connected> try_accept() override { return transport_.wrap(inner_->try_accept()); }
    void wait(Waiter& waiter) override { inner_->wait(waiter); }
    bool shed() override { return inner_->shed(); }
    void close() override { inner_->close(); }
    Address address() const override { return inner_->address(); }

   private:
    ToxicTransport& transport_;
    std::unique_ptr<Listener> inner_;
  };

  async::Loop& loop() override { return inner_->runtime().loop(); }
  Network& network() override { return *this; }
  async::Blocking& blocking() override { return inner_->runtime().blocking(); }
  Random random(std::string_view stream) override { return inner_->runtime().random(stream); }

  Result<std::unique_ptr<Listener>> listen(const Address& address, const ListenOptions& options) override {
    Result<std::unique_ptr<Listener>> listener = inner_->runtime().network().listen(address, options);
    if (!listener) return listener;
    return std::make_unique<ToxicListener>(*this, std::move(*listener));
  }
  Task<Result<Connected>> dial(Address address, DialOptions options) override {
    Result<Connected> connected = co_await inner_->runtime().network().dial(std::move(address), std::move(options));
    co_return wrap(std::move(connected));
  }
  Task<Result<std::vector<Address>>> resolve(std::string host, std::uint16_t port, TimePoint deadline) override {
    return inner_->runtime().network().resolve(std::move(host), port, deadline);
  }

  Result<Connected> wrap(Result<Connected> connected) {
    if (connected) connected->connection = proxy_.wrap(std::move(connected->connection), ++connections_);
    return connected;
  }

  std::unique_ptr<Transport> inner_;
  SeededOracle oracle_{1};
  Decisions decisions_{oracle_};
  ToxicProxy proxy_;
  std::uint64_t connections_ = 0;
};

}  // namespace pipette::net
