#pragma once

#include "pipette/pipette.h"

inline void hello(pipette::RequestCtx& ctx) { ctx.set_body("Hello, " + ctx.query("name").value_or("world") + "!"); }
