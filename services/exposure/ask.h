/* What the two lists of questions share. */
/* SPDX-License-Identifier: ISC */
#pragma once
#include "services/exposure/exposure.h"
#include "services/exposure/reach.h"
