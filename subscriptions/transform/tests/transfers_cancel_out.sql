-- What one plan loses by a transfer another one gets.
select month, region, sum(transfer_mrr) as transfer_mrr
from {{ ref('mrr_movements') }}
group by month, region
having sum(transfer_mrr) <> 0
