#include "pipette/tcp/handed.h"

#include <memory>
#include <utility>

#include "pipette/tcp/internal/connection.h"
#include "pipette/tcp/internal/listener.h"
#include "pipette/tcp/internal/loop.h"
#include "pipette/tcp/runtime.h"

namespace pipette::tcp {

Result<Handed> accept_to_hand(net::Listener& listener) { return static_cast<Listener&>(listener).accept_to_hand(); }

Result<net::Connected> take(Runtime& runtime, Handed handed) {
  Result<OwnedSocket> socket = Socket::adopt(static_cast<Loop&>(runtime.loop()), handed.descriptor.release());
  if (!socket) return fail(socket.error());
  return net::Connected{std::make_unique<Connection>(std::move(*socket)), std::move(handed.local),
                        std::move(handed.remote)};
}

}  // namespace pipette::tcp
