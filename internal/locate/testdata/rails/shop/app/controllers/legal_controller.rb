class LegalController < ActionController::Base
  def privacy; end
  def terms; end
end
