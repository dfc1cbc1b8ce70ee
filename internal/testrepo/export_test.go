package testrepo

// Pending counts the requests that are being answered.
func (s *Server) Pending() int64 { return s.pending.Load() }
