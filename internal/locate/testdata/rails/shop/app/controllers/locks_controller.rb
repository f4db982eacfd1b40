class LocksController < ActionController::Base
  def create; end
end
