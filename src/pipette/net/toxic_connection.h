// ToxicProxy: connections that suffer, over any network: real sockets, or pipes in memory.
//
//   program ─ try_write ─> [ upstream channel ] ─> inner connection ─> peer
//           <─ try_read ── [ downstream channel ] <─ inner connection <─
//
//   ToxicProxy proxy(loop, decisions);
//   std::unique_ptr<Connection> connection = proxy.wrap(std::move(inner), 1);
//   {
//     const ToxicScope slow(proxy, Toxics().with_latency(50ms), Toxics().with_bandwidth(64'000));
//     …                                          // and from here on as it was before
//   }
//
// As in Toxiproxy, the toxics belong to the proxy, and changing them afflicts the connections that are there and those
// to come. Upstream is what the wrapped end writes, downstream what it reads; what toxics do is said in net/toxics.h.
// A connection that is to have toxics of its own has a proxy of its own.
//
// The proxy is the network below its connections, so it keeps the whole contract of net/connection.h: what it has taken
// is under way, try_close_write() never has to wait for it, and a connection that dies after that leaves its data and
// its end with the proxy, which delivers them when their time has come. An abort is under way as long as any reset.
// Without toxics, tries go straight to the inner connection.
//
// Errors    the inner connection's own; Errc::connection_reset when toxics ended the connection.
// Bounds    each direction holds the octets of ChannelOptions. A direction that suffers is read ahead that far.
// Lifetime  loop and decisions outlive the proxy, the proxy its connections. What is still under way when the proxy
//           dies is lost, with a reset.   Threads  the loop's.
#pragma once

#include <cstdint>
#include <memory>

#include "pipette/async/loop.h"
#include "pipette/base/list.h"
#include "pipette/base/oracle.h"
#include "pipette/net/channel.h"
#include "pipette/net/connection.h"
#include "pipette/net/toxics.h"

namespace pipette::net {

class ToxicLink;
class ToxicProxy;

class ToxicConnection final : public Connection {
 public:
  explicit ToxicConnection(ToxicLink& link) : link_(link) {}
  ~ToxicConnection() override;

  Result<std::size_t> try_read(MutableBytes into) override;
  Result<std::size_t> try_write(std::span<const Bytes> pieces) override;
  Result<void> try_close_write() override;
  void wait(Direction direction, Waiter& waiter) override;
  void set_deadline(Direction direction, TimePoint deadline) override;
  void abort() override;

  // When `trigger`, which watches what is written (or what is read), strikes, this direction suffers from `toxics`.
  void arm(Direction direction, Trigger& trigger, const Toxics& toxics);

 private:
  ToxicLink& link_;
};

class ToxicProxy {
 public:
  ToxicProxy(async::Loop& loop, Decisions& decisions, const ChannelOptions& options = {});
  ToxicProxy(const ToxicProxy&) = delete;
  ToxicProxy& operator=(const ToxicProxy&) = delete;
  ~ToxicProxy();

  // `object` is the connection's number in the questions to Decisions.
  std::unique_ptr<ToxicConnection> wrap(std::unique_ptr<Connection> inner, std::uint64_t object);

  void set_toxics(const Toxics& upstream, const Toxics& downstream);
  const Toxics& upstream() const { return upstream_; }
  const Toxics& downstream() const { return downstream_; }

 private:
  friend class ToxicLink;

  void free(ToxicLink& link);

  async::Loop& loop_;
  Decisions& decisions_;
  ChannelOptions options_;
  Toxics upstream_;
  Toxics downstream_;
  List<ToxicLink> links_;  // owns them
};

// Toxics for as long as it lives; then those from before are back.
class ToxicScope {
 public:
  ToxicScope(ToxicProxy& proxy, const Toxics& upstream, const Toxics& downstream)
      : proxy_(proxy), upstream_(proxy.upstream()), downstream_(proxy.downstream()) {
    proxy.set_toxics(upstream, downstream);
  }
  ToxicScope(const ToxicScope&) = delete;
  ToxicScope& operator=(const ToxicScope&) = delete;
  ~ToxicScope() { proxy_.set_toxics(upstream_, downstream_); }

 private:
  ToxicProxy& proxy_;
  Toxics upstream_;
  Toxics downstream_;
};

}  // namespace pipette::net
