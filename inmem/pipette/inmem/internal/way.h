// Way: one direction of a pipe: its channel, who waits at both ends of it, and what afflicts it.
//
//   writer ──> [ channel ] ──> reader            a deadline of the channel ──> owner.act(way)
//
// What afflicts a way adds up from three places: the link it goes over, a trigger of that link which has struck here,
// and itself, when a fault has made it fall silent. Most have none of them, and a plain channel.
//
// Lifetime  the owner's, which owns two.   Threads  one.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "pipette/inmem/pipe.h"
#include "pipette/net/wait_slot.h"

namespace pipette::inmem::internal {

class Way;

// Sees to what time has done to one of its ways.
class WayOwner {
 public:
  virtual void act(Way& way) = 0;

 protected:
  ~WayOwner() = default;
};

class Way final : public LinkUser, public async::Timer {
 public:
  // What `from` sends.
  Way(WayOwner& owner, std::uint8_t from, const PipeSetup& setup, Decisions& decisions);
  Way(const Way&) = delete;
  Way& operator=(const Way&) = delete;
  ~Way();

  void note_consumed(std::size_t count) { consumed += count; }
  // How many octets have arrived since it was asked the last time.
  std::uint64_t take_arrived() {
    const std::uint64_t before = std::exchange(arrived_, consumed + channel.unread());
    return arrived_ - before;
  }

  // What afflicts `link` does so here from now on; a trigger is made now.
  void go_over(Link& link);
  void set_toxics(const net::Toxics& toxics) override;
  // Nothing arrives any more, and nobody is told.
  void fall_silent();
  // The link's afflictions stay.
  void heal();

  std::uint8_t side;            // that sends
  bool was_cut = false;         // a Cut has had its effect
  bool end_takes_time = false;  // the channel was not plain when it was finished
  bool has_ended = false;       // its reader has been told of the end, which from then on stays so
  std::uint64_t consumed = 0;
  net::WaitSlot reader;
  net::WaitSlot writer;
  net::Channel channel;

 private:
  // A trigger of the link, which strikes this connection alone.
  struct Triggered;

  void run() override { owner_.act(*this); }

  WayOwner& owner_;
  async::Loop& wire_loop_;
  std::uint64_t arrived_ = 0;  // that the log knows of
  std::unique_ptr<Triggered> trigger_;
  net::Toxics of_link_;
  net::Toxics of_itself_;
};

}  // namespace pipette::inmem::internal
