import { useMutation, useQuery } from "@tanstack/react-query";
import { ask, get } from "../api";
import type { QueryResult, Side, TableView } from "../wire";

export interface Question {
  side: Side;
  workspace: string;
  query: string;
  timespan: string;
}

export const useRun = () => useMutation({ mutationFn: (q: Question) => ask<QueryResult>("POST", "/query", q) });

export const useTables = (side: Side) =>
  useQuery({
    queryKey: ["tables", side],
    queryFn: ({ signal }) => get<TableView[]>(`/tables?side=${side}`, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
