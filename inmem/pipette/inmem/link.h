// Link: one direction between two hosts, and what afflicts it.
//
//   Link& up = world.link("client", "app");
//   auto slow = up.add(Toxics().with_latency(50ms));                    // until `slow` dies
//   auto gap = up.add(Toxics().with_black_hole(), Between{30s, 40s});   // between two moments of virtual time
//   auto cut = up.add(Toxics().with_reset_peer(), [] { return std::make_unique<net::AfterBytes>(41); });
//
// Toxics are layers: several may be on at once, and each may go at any time, in any order. Latencies add up, of
// bandwidths and limits the smaller one counts, a stall is a stall. They apply to connections that exist and to those
// that are made later. A trigger is made anew for each connection that is dialed from then on, and afflicts that
// connection alone, until the network is healed (Network::heal).
//
// Lifetime  the network's; guards may outlive nothing.   Threads  one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipette/base/errc.h"
#include "pipette/base/list.h"
#include "pipette/inmem/event_log.h"
#include "pipette/inmem/loop.h"
#include "pipette/net/channel.h"
#include "pipette/net/toxics.h"

namespace pipette::inmem {

// From and until when, since the world began.
struct Between {
  Duration from{};
  Duration until = kNever.time_since_epoch();
};

using TriggerFactory = std::function<std::unique_ptr<net::Trigger>()>;

// `first` and `second` at once.
net::Toxics combined(const net::Toxics& first, const net::Toxics& second);
// "latency 50ms + 10ms, bandwidth 64000 B/s", where 10ms is the jitter; "nothing".
std::string describe(const net::Toxics& toxics);

// A stream that runs over a link: told when what afflicts it changes.
class LinkUser : public ListNode {
 public:
  virtual void set_toxics(const net::Toxics& toxics) = 0;

 protected:
  ~LinkUser() = default;
};

class Link {
 public:
  // What an added affliction is held by: it ends with this.
  class [[nodiscard]] Guard {
   public:
    Guard() = default;
    Guard(Guard&& other) noexcept : link_(std::exchange(other.link_, nullptr)), layer_(other.layer_) {}
    Guard& operator=(Guard&& other) noexcept {
      if (this != &other) {
        end();
        link_ = std::exchange(other.link_, nullptr);
        layer_ = other.layer_;
      }
      return *this;
    }
    ~Guard() { end(); }

    void end() {
      if (link_ != nullptr) std::exchange(link_, nullptr)->remove(layer_);
    }

   private:
    friend class Link;
    Guard(Link& link, std::uint64_t layer) : link_(&link), layer_(layer) {}
    Link* link_ = nullptr;
    std::uint64_t layer_ = 0;
  };

  Link(Loop& wire_loop, EventLog& log, std::string label);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link();

  // "client -> app"
  const std::string& label() const { return label_; }

  Guard add(const net::Toxics& toxics);
  Guard add(const net::Toxics& toxics, Between when);
  // On the connections that are dialed from now on, when their trigger strikes.
  Guard add(const net::Toxics& toxics, TriggerFactory trigger);
  // Drops whoever dials as if nobody listened, or as if there was no route: both ways of one link do the same.
  Guard refuse(Errc error = Errc::connection_refused);
  // No toxics any more, whatever guards are held.
  void heal();

  // What afflicts it now.
  const net::Toxics& toxics() const { return toxics_; }
  Errc refusal() const;
  // Buffers and segmentation of connections made from now on; null: those of the network.
  void set_options(const net::ChannelOptions& options) { options_ = options; }
  const net::ChannelOptions* options() const { return options_ ? &*options_ : nullptr; }

  // ---- for streams
  // From now on told of changes; toxics() says how it begins.
  void join(LinkUser& user);
  struct Armed {
    std::unique_ptr<net::Trigger> trigger;
    net::Toxics toxics;  // beside those of the link
  };
  // A trigger for a new connection, of the layer added last that has one; null when none has.
  Armed make_trigger() const;
  // Wakes `waiter` when something here changes.
  void wait(async::Runnable& waiter);

 private:
  struct Layer {
    std::uint64_t number;
    net::Toxics toxics;
    TriggerFactory trigger;
    Errc refusal{};
    bool is_on = true;
  };
  struct Switch;

  Guard add_layer(Layer layer);
  void remove(std::uint64_t number);
  void set_on(std::uint64_t number, bool on);
  void update();

  Loop& wire_loop_;
  EventLog& log_;
  std::string label_;
  std::uint64_t next_layer_ = 1;
  std::vector<Layer> layers_;
  std::vector<std::unique_ptr<Switch>> switches_;
  net::Toxics toxics_;
  std::optional<net::ChannelOptions> options_;
  List<LinkUser> users_;
  List<async::Runnable> waiters_;
};

}  // namespace pipette::inmem
