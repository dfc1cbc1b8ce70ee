#!/bin/sh
echo hello 1.0.0
