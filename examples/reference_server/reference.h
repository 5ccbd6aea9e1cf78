// The handler that outside probes and load generators are pointed at.
#pragma once

#include "pipette/pipette.h"

// GET / -> 200 and a short body · POST /echo -> the request's body and content type · GET /headers -> the request's
// header lines · anything else -> 404.
void reference(pipette::RequestCtx& ctx);
